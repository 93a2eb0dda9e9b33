"""What a process needs so that the neonize inside it, or inside its children, speaks to the emulator."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_HOOK = Path(__file__).parent / "redirected"


@dataclass(frozen=True)
class Redirection:
    """Nothing of it is known to the code under test: it is all in the environment of a process that is started."""

    proxy_port: int
    authority_file: Path
    root_key: bytes

    def variables(self) -> dict[str, str]:
        """What to set; `PYTHONPATH` leads to a `sitecustomize` that replaces the root key when neonize is imported."""
        return {
            "HTTPS_PROXY": f"http://127.0.0.1:{self.proxy_port}",
            "NO_PROXY": "127.0.0.1,localhost",
            "SSL_CERT_FILE": str(self.authority_file),
            "PYTHONPATH": str(_HOOK),
            "WHATSAPP_EMULATOR_ROOT_KEY": self.root_key.hex(),
        }

    def environment(self, base: Mapping[str, str] | None = None) -> dict[str, str]:
        """A whole environment: another one, or this process's, with what to set."""
        return merge(self.variables(), os.environ if base is None else base)


def merge(variables: Mapping[str, str], base: Mapping[str, str]) -> dict[str, str]:
    """An environment with the variables of a redirection; its own `PYTHONPATH` comes behind theirs."""
    environment = {**base, **variables}
    if path := base.get("PYTHONPATH"):
        environment["PYTHONPATH"] += os.pathsep + path
    return environment

"""The folder in which a bot on a laptop keeps its state, and the lock that allows one user of it at a time.

```
<data>/up.lock                  held while `up` runs; holds its process id
<data>/install.key              the key of all references, made once, mode 0600
<data>/nats/                    the JetStream store
<data>/bots/<bot>/spec.yaml     what the services read: the same files that the operator mounts in a cluster
<data>/bots/<bot>/secrets/<secret>/<key>
<data>/bots/<bot>/state/        journal, session
<data>/logs/<process>.log
```
"""

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from supportbot.errors import UserError
from supportbot.spec import SupportBot


@dataclass(frozen=True)
class BotFolder:
    """Where one bot's files are."""

    spec: Path
    secrets: Path
    state: Path


@dataclass(frozen=True)
class DataFolder:
    """The state of `supportbot up` under one root."""

    root: Path

    @property
    def nats(self) -> Path:
        """The JetStream store."""
        return self.root / "nats"

    @property
    def logs(self) -> Path:
        """One file per process."""
        return self.root / "logs"

    @property
    def install_key(self) -> Path:
        """32 random bytes in hex."""
        return self.root / "install.key"

    def bot(self, name: str) -> BotFolder:
        """The files of the bot `name`."""
        folder = self.root / "bots" / name
        return BotFolder(spec=folder / "spec.yaml", secrets=folder / "secrets", state=folder / "state")

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the folder for this process.

        Raises:
            UserError: Another process holds it, or it cannot be written.
        """
        path = self.root / "up.lock"
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as exc:
            raise UserError(f"cannot use the data folder {str(self.root)!r}: {exc.strerror}; see --data") from exc
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as exc:
                holder = os.read(descriptor, 32).decode().strip() or "unknown"
                raise UserError(
                    f"process {holder} uses the data folder {str(self.root)!r}; stop it, or see --data"
                ) from exc
            os.ftruncate(descriptor, 0)
            os.write(descriptor, str(os.getpid()).encode())
            yield
        finally:
            os.close(descriptor)

    def write_bot(self, bot: SupportBot, bot_secrets: Mapping[str, Mapping[str, str]]) -> BotFolder:
        """Write what the services of `bot` read; secrets that are no longer in the file disappear."""
        if not self.install_key.exists():
            _write_private(self.install_key, secrets.token_hex(32))
        folder = self.bot(bot.metadata.name)
        folder.state.mkdir(parents=True, exist_ok=True, mode=0o700)
        document = bot.model_dump(mode="json", by_alias=True, exclude_unset=True)
        folder.spec.write_text(yaml.safe_dump(document, allow_unicode=True, sort_keys=False), encoding="utf-8")
        shutil.rmtree(folder.secrets, ignore_errors=True)
        folder.secrets.mkdir(mode=0o700)
        for name, values in bot_secrets.items():
            (folder.secrets / name).mkdir(mode=0o700)
            for key, value in values.items():
                _write_private(folder.secrets / name / key, value)
        return folder


def _write_private(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)

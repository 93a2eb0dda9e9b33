from collections.abc import Callable
from pathlib import Path

import pytest

from supportbot.settings import Settings, load_settings


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """The least that a process needs."""
    (tmp_path / "bot.yaml").write_text("kind: SupportBot\n")
    (tmp_path / "secrets").mkdir()
    (tmp_path / "install-key").write_text("0b" * 32 + "\n")
    return {
        "SUPPORTBOT_SPEC": str(tmp_path / "bot.yaml"),
        "SUPPORTBOT_SECRETS": str(tmp_path / "secrets"),
        "SUPPORTBOT_DATA": str(tmp_path / "data"),
        "SUPPORTBOT_INSTALL_KEY_FILE": str(tmp_path / "install-key"),
    }


@pytest.fixture
def make_settings(environ: dict[str, str]) -> Callable[..., Settings]:
    """Settings from fields, as `load_settings` would read them from variables."""

    def make(**fields: object) -> Settings:
        return load_settings("ticket", environ | {f"SUPPORTBOT_{name.upper()}": str(v) for name, v in fields.items()})

    return make

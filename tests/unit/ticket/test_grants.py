"""Where the grant comes from, and where a code may be exchanged."""

import stat
from pathlib import Path

import pytest

from supportbot.errors import UserError
from supportbot.settings import Settings
from supportbot.ticket.authorisation import choose_server
from supportbot.ticket.grants import Grants


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    secret = tmp_path / "secrets" / "zoho"
    secret.mkdir(parents=True)
    for key in ("client-id", "client-secret", "refresh-token"):
        (secret / key).write_text(f"{key}-1\n")
    (tmp_path / "spec.yaml").write_text("")
    (tmp_path / "install.key").write_text("ab" * 32)
    return Settings(
        spec=tmp_path / "spec.yaml",
        install_key_file=tmp_path / "install.key",
        secrets=tmp_path / "secrets",
        data=tmp_path / "data",
    )


def refresh_token(grants: Grants) -> str:
    return grants.read().refresh_token.get_secret_value()


def test_stored_token_replaces_that_of_the_secret(settings: Settings) -> None:
    grants = Grants(settings, "zoho")
    assert refresh_token(grants) == "refresh-token-1"
    path = grants.store("granted-2")
    assert refresh_token(grants) == "granted-2"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(settings.data.iterdir()) == [path]


def test_changed_secret_has_the_last_word(settings: Settings) -> None:
    grants = Grants(settings, "zoho")
    grants.store("granted-2")
    (settings.secrets / "zoho" / "refresh-token").write_text("refresh-token-3")
    assert refresh_token(grants) == "refresh-token-3"


def test_grants_twice(settings: Settings) -> None:
    """The second token replaces the first, though the secret is still the same."""
    grants = Grants(settings, "zoho")
    grants.store("granted-2")
    grants.store("granted-3")
    assert refresh_token(grants) == "granted-3"


@pytest.mark.parametrize("content", ["", "not JSON", "[]", '{"refresh_token": "x"}'])
def test_unreadable_file_is_no_grant(settings: Settings, content: str) -> None:
    grants = Grants(settings, "zoho")
    grants.store("granted-2").write_text(content)
    assert refresh_token(grants) == "refresh-token-1"


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        (None, "http://127.0.0.1:1"),
        ("http://127.0.0.1:1/", "http://127.0.0.1:1"),
        ("https://accounts.zoho.eu", "https://accounts.zoho.eu"),
    ],
)
def test_server_of_the_exchange(named: str | None, expected: str) -> None:
    assert choose_server(named, "http://127.0.0.1:1") == expected


@pytest.mark.parametrize(
    "named",
    [
        "https://accounts.zoho.eu.evil.example",
        "http://accounts.zoho.eu",
        "https://evil.example/accounts.zoho.eu",
        "https://accounts.zoho.eu@evil.example",
    ],
)
def test_secret_goes_nowhere_else(named: str) -> None:
    with pytest.raises(UserError):
        choose_server(named, "http://127.0.0.1:1")

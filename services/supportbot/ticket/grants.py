"""The grant of this installation: client and refresh token from the bot's secret, or a newer token from a file.

A refresh token that was granted at run time (`/auth/callback`) goes into a file of the data folder, since a process
may not write into its secrets. It counts only as long as the secret holds what it held then: whoever changes the
secret later has the last word.
"""

import json
import os
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from supportbot.settings import Settings, read_secret
from supportbot.ticket.oauth import Grant

FILE_NAME: Final = "zoho-refresh-token.json"


class Grants:
    """Reads and replaces the grant.

    Args:
        settings: Where secrets and data are.
        secret: Name of the secret with `client-id`, `client-secret` and `refresh-token`.
    """

    def __init__(self, settings: Settings, secret: str) -> None:
        self._settings = settings
        self._secret = secret
        self._path = settings.data / FILE_NAME

    def read(self) -> Grant:
        """The grant in force.

        Raises:
            UserError: The secret lacks a key.
        """
        stated = self._read_secret()
        newer = self._read_file(stated)
        if newer is None:
            return stated
        return Grant(client_id=stated.client_id, client_secret=stated.client_secret, refresh_token=SecretStr(newer))

    def store(self, refresh_token: str) -> Path:
        """Put a new refresh token in force; the file it went to, which only this user may read."""
        content = {"replaces": self._read_secret().fingerprint, "refresh_token": refresh_token}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        draft = self._path.with_suffix(".new")
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump(content, file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._path)
        return self._path

    def _read_secret(self) -> Grant:
        client_id = read_secret(self._settings, self._secret, "client-id").get_secret_value()
        return Grant(
            client_id=client_id,
            client_secret=read_secret(self._settings, self._secret, "client-secret"),
            refresh_token=read_secret(self._settings, self._secret, "refresh-token"),
        )

    def _read_file(self, stated: Grant) -> str | None:
        try:
            content = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        in_force = isinstance(content, dict) and content.get("replaces") == stated.fingerprint
        return str(content["refresh_token"]) if in_force and content.get("refresh_token") else None

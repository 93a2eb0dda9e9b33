"""Everything secret that the operator hands out, derived from the installation's master key (pure).

Nothing has to be stored beside that key, and the same bot gets the same values from every replica and after every
restart. HMAC-SHA256 as a key derivation function with a label per purpose (NIST SP 800-108, counter mode, one block).
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass

MASTER_KEY_BYTES = 32


@dataclass(frozen=True, repr=False)
class Keys:
    """The master key and what follows from it."""

    master: bytes

    def derive(self, *label: str) -> bytes:
        """32 bytes for a purpose; labels may hold anything but NUL."""
        return hmac.digest(self.master, "\0".join(label).encode(), hashlib.sha256)

    def install_key(self, namespace: str, name: str) -> str:
        """The key of a bot's references, in hex. A bot that is made again under its name keeps it."""
        return self.derive("install", namespace, name).hex()

    def api_key(self, namespace: str, name: str) -> str:
        """The bearer token for a bot's HTTP endpoints."""
        return "sb_" + base64.urlsafe_b64encode(self.derive("api", namespace, name)).decode().rstrip("=")


def parse_master_key(text: bytes | str) -> Keys:
    """The keys of a master key in hex.

    Raises:
        ValueError: It is not 64 hex characters.
    """
    raw = bytes.fromhex((text.decode("ascii") if isinstance(text, bytes) else text).strip())
    if len(raw) != MASTER_KEY_BYTES:
        raise ValueError(f"the master key has {len(raw)} bytes instead of {MASTER_KEY_BYTES}")
    return Keys(raw)


def bot_key(namespace: str, name: str) -> str:
    """The bot's name in streams and subjects: unique in the account, though names repeat across namespaces."""
    return f"{name}-{hashlib.sha256(f'{namespace}/{name}'.encode()).hexdigest()[:8]}"

"""The store of encrypted files, and what may be wrong with one of them."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from .protocol.keys import hkdf, hmac_sha256
from .protocol.signal import decrypt_cbc, encrypt_cbc

_INFO = {
    "image": b"WhatsApp Image Keys",
    "sticker": b"WhatsApp Image Keys",
    "video": b"WhatsApp Video Keys",
    "ptv": b"WhatsApp Video Keys",
    "audio": b"WhatsApp Audio Keys",
    "voice": b"WhatsApp Audio Keys",
    "document": b"WhatsApp Document Keys",
}
_MAC_BYTES = 10


class MediaFault(BaseModel):
    """How a file is given out."""

    model_config = ConfigDict(frozen=True)

    status: int = 200
    """404 and 410: it is gone; 5xx: try again."""
    delay_s: float = 0
    """Before the answer; a large number hangs."""
    is_corrupted: bool = False
    """Other bytes than were uploaded."""
    is_truncated: bool = False
    """The connection ends in the middle."""
    times: int | None = None
    """For how many downloads; None for all."""


@dataclass(frozen=True)
class StoredMedia:
    """What a message says of its file."""

    direct_path: str
    key: bytes
    sha256: bytes
    encrypted_sha256: bytes


class MediaStore:
    """Files by their direct path, without the query."""

    def __init__(self) -> None:
        self._files: dict[str, bytes] = {}
        self._faults: dict[str, MediaFault] = {}
        self.default_fault = MediaFault()
        """For files that have none of their own."""
        self.downloads: list[str] = []
        """Paths that were asked for, in order."""

    def add(self, data: bytes, kind: str) -> StoredMedia:
        """Encrypt a file as a phone does, and keep it."""
        key = secrets.token_bytes(32)
        iv, cipher, mac = _keys(key, kind)
        ciphertext = encrypt_cbc(cipher, iv, data)
        sealed = ciphertext + hmac_sha256(mac, iv + ciphertext)[:_MAC_BYTES]
        path = self.put(sealed)
        return StoredMedia(path, key, hashlib.sha256(data).digest(), hashlib.sha256(sealed).digest())

    def put(self, sealed: bytes) -> str:
        """Keep encrypted bytes, as of an upload; returns their direct path."""
        path = f"/v/t62.7118-24/{secrets.token_hex(12)}.enc"
        self._files[path] = sealed
        return f"{path}?ccb=11-4&oh=01_emulated"

    def get(self, target: str) -> tuple[bytes | None, MediaFault]:
        """The bytes at a path, and what is to go wrong with them."""
        path = target.partition("?")[0]
        self.downloads.append(path)
        fault = self._faults.get(path, self.default_fault)
        if fault.times is not None:
            left = fault.times - 1
            self._faults[path] = fault.model_copy(update={"times": left}) if left else MediaFault()
        return self._files.get(path), fault

    def set_fault(self, direct_path: str, fault: MediaFault) -> None:
        """What goes wrong with one file from now on."""
        self._faults[direct_path.partition("?")[0]] = fault

    def open(self, direct_path: str, key: bytes, kind: str) -> bytes:
        """The plain bytes of a file, as a phone reads them.

        Raises:
            KeyError: There is no such file.
            ValueError: The key is another's.
        """
        sealed = self._files[direct_path.partition("?")[0]]
        iv, cipher, mac = _keys(key, kind)
        ciphertext, tag = sealed[:-_MAC_BYTES], sealed[-_MAC_BYTES:]
        if not hmac.compare_digest(hmac_sha256(mac, iv + ciphertext)[:_MAC_BYTES], tag):
            raise ValueError("the file's MAC does not fit its key")
        return decrypt_cbc(cipher, iv, ciphertext)


def _keys(key: bytes, kind: str) -> tuple[bytes, bytes, bytes]:
    expanded = hkdf(key, b"", _INFO[kind], 112)
    return expanded[:16], expanded[16:48], expanded[48:80]

"""The server's side of Noise XX (`Noise_XX_25519_AESGCM_SHA256`) as WhatsApp uses it, and its frames.

https://noiseprotocol.org/noise.html; what is WhatsApp's own (the header, the payloads, the certificate chain) follows
whatsmeow's `socket` and `handshake.go`.
"""

import hashlib
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .keys import KeyPair, hkdf
from .protobuf import Schema, decode, encode

HEADER = b"WA\x06\x03"
"""The first bytes of a connection; 3 is the version of the token dictionary."""
_PROTOCOL = b"Noise_XX_25519_AESGCM_SHA256\0\0\0\0"

_HELLO: Schema = {"ephemeral": (1, "bytes"), "static": (2, "bytes"), "payload": (3, "bytes")}
_FINISH: Schema = {"static": (1, "bytes"), "payload": (2, "bytes")}
_HANDSHAKE: Schema = {"client_hello": (2, _HELLO), "server_hello": (3, _HELLO), "client_finish": (4, _FINISH)}
_DETAILS: Schema = {
    "serial": (1, "int"),
    "issuer_serial": (2, "int"),
    "key": (3, "bytes"),
    "not_before": (4, "int"),
    "not_after": (5, "int"),
}
_CERTIFICATE: Schema = {"details": (1, "bytes"), "signature": (2, "bytes")}
_CHAIN: Schema = {"leaf": (1, _CERTIFICATE), "intermediate": (2, _CERTIFICATE)}


class FrameReader:
    """Cuts a stream of bytes into frames, however the websocket has cut it."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._header_seen = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The frames that are complete now.

        Raises:
            ValueError: The stream does not begin with WhatsApp's header.
        """
        self._buffer += data
        if not self._header_seen:
            if len(self._buffer) < len(HEADER):
                return
            if self._buffer[: len(HEADER)] != HEADER:
                raise ValueError(f"a connection begins with {bytes(self._buffer[:4])!r}")
            del self._buffer[: len(HEADER)]
            self._header_seen = True
        while len(self._buffer) >= 3:
            length = int.from_bytes(self._buffer[:3])
            if len(self._buffer) < 3 + length:
                return
            yield bytes(self._buffer[3 : 3 + length])
            del self._buffer[: 3 + length]


def frame(payload: bytes) -> bytes:
    """A frame: three bytes of length, then the payload."""
    return len(payload).to_bytes(3) + payload


class Cipher:
    """One direction of an established connection."""

    def __init__(self, key: bytes) -> None:
        self._aead = AESGCM(key)
        self._counter = 0

    def encrypt(self, plaintext: bytes) -> bytes:
        """The next message of this direction."""
        return self._aead.encrypt(self._next(), plaintext, None)

    def decrypt(self, ciphertext: bytes) -> bytes:
        """The next message of this direction.

        Raises:
            cryptography.exceptions.InvalidTag: It is not.
        """
        return self._aead.decrypt(self._next(), ciphertext, None)

    def _next(self) -> bytes:
        self._counter += 1
        return bytes(8) + struct.pack(">I", self._counter - 1)


@dataclass(frozen=True)
class Secured:
    """What a handshake ends with."""

    client_static: bytes
    client_payload: bytes
    inbound: Cipher
    outbound: Cipher


class Handshake:
    """The server's part: `hello` answers the client's first frame, `finish` reads its second."""

    def __init__(self, authority: "Authority") -> None:
        self._authority = authority
        self._ephemeral = KeyPair.generate()
        self._static = KeyPair.generate()
        self._hash = self._salt = self._key = _PROTOCOL
        self._counter = 0
        self._authenticate(HEADER)

    def hello(self, client_hello: bytes) -> bytes:
        """The frame that answers a ClientHello."""
        client_ephemeral: bytes = decode(_HANDSHAKE, client_hello)["client_hello"]["ephemeral"]
        self._authenticate(client_ephemeral)
        self._authenticate(self._ephemeral.public)
        self._mix(self._ephemeral.agree(client_ephemeral))
        static = self._encrypt(self._static.public)
        self._mix(self._static.agree(client_ephemeral))
        payload = self._encrypt(self._authority.certify(self._static.public))
        hello = {"ephemeral": self._ephemeral.public, "static": static, "payload": payload}
        return encode(_HANDSHAKE, {"server_hello": hello})

    def finish(self, client_finish: bytes) -> Secured:
        """The ciphers, and who the client says it is."""
        finish = decode(_HANDSHAKE, client_finish)["client_finish"]
        client_static = self._decrypt(finish["static"])
        self._mix(self._ephemeral.agree(client_static))
        client_payload = self._decrypt(finish["payload"])
        keys = hkdf(b"", self._salt, b"", 64)
        return Secured(client_static, client_payload, inbound=Cipher(keys[:32]), outbound=Cipher(keys[32:]))

    def _authenticate(self, data: bytes) -> None:
        self._hash = hashlib.sha256(self._hash + data).digest()

    def _mix(self, secret: bytes) -> None:
        keys = hkdf(secret, self._salt, b"", 64)
        self._salt, self._key, self._counter = keys[:32], keys[32:], 0

    def _nonce(self) -> bytes:
        self._counter += 1
        return bytes(8) + struct.pack(">I", self._counter - 1)

    def _encrypt(self, plaintext: bytes) -> bytes:
        ciphertext = AESGCM(self._key).encrypt(self._nonce(), plaintext, self._hash)
        self._authenticate(ciphertext)
        return ciphertext

    def _decrypt(self, ciphertext: bytes) -> bytes:
        plaintext = AESGCM(self._key).decrypt(self._nonce(), ciphertext, self._hash)
        self._authenticate(ciphertext)
        return plaintext


class Authority:
    """Certifies the static keys of handshakes; the client trusts `root_key`."""

    def __init__(self, *, clock_skew_s: int = 0) -> None:
        self._root = KeyPair.generate()
        self._intermediate = KeyPair.generate()
        self.clock_skew_s = clock_skew_s
        """How far ahead the certificates' validity lies: a client whose clock is wrong refuses them."""

    @property
    def root_key(self) -> bytes:
        """The public key that the client must be given in place of WhatsApp's."""
        return self._root.public

    def certify(self, key: bytes) -> bytes:
        """A certificate chain for a static key, valid from an hour ago for a day."""
        intermediate = self._certificate(self._root, serial=1, issuer_serial=0, key=self._intermediate.public)
        leaf = self._certificate(self._intermediate, serial=2, issuer_serial=1, key=key)
        return encode(_CHAIN, {"leaf": leaf, "intermediate": intermediate})

    def _certificate(self, signer: KeyPair, *, serial: int, issuer_serial: int, key: bytes) -> dict[str, bytes]:
        now = int(time.time()) + self.clock_skew_s
        names = {"serial": serial, "issuer_serial": issuer_serial, "key": key}
        details = encode(_DETAILS, {**names, "not_before": now - 3600, "not_after": now + 86400})
        return {"details": details, "signature": signer.sign(details)}

"""Curve25519 key pairs that agree (X25519) and sign (XEdDSA), as every key of WhatsApp does.

XEdDSA: https://signal.org/docs/specifications/xeddsa/. A pair is made from an Ed25519 seed, so that signing is plain
Ed25519; what is published is the Montgomery form of its public key.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

_PRIME = 2**255 - 19
DJB_TYPE = b"\x05"
"""What Signal writes before a public key."""


@dataclass(frozen=True)
class KeyPair:
    """A pair that agrees and signs; `public` is 32 bytes, Montgomery."""

    seed: bytes = field(repr=False)
    public: bytes
    _signer: Ed25519PrivateKey = field(repr=False, compare=False)
    _agreer: X25519PrivateKey = field(repr=False, compare=False)

    @classmethod
    def generate(cls) -> "KeyPair":
        """A new pair."""
        return cls.from_seed(secrets.token_bytes(32))

    @classmethod
    def derived(cls, *names: str) -> "KeyPair":
        """The same pair for the same names, in every process."""
        return cls.from_seed(hashlib.sha256("|".join(names).encode()).digest())

    @classmethod
    def from_seed(cls, seed: bytes) -> "KeyPair":
        """The pair of a 32-byte Ed25519 seed."""
        agreer = X25519PrivateKey.from_private_bytes(hashlib.sha512(seed).digest()[:32])
        return cls(seed, agreer.public_key().public_bytes_raw(), Ed25519PrivateKey.from_private_bytes(seed), agreer)

    @property
    def typed_public(self) -> bytes:
        """The public key as Signal writes it: 33 bytes."""
        return DJB_TYPE + self.public

    def agree(self, public: bytes) -> bytes:
        """The secret shared with the owner of a public key (32 bytes, or 33 with its type)."""
        return self._agreer.exchange(X25519PublicKey.from_public_bytes(public[-32:]))

    def sign(self, message: bytes) -> bytes:
        """An XEdDSA signature: the sign of the Edwards key goes into the unused bit of the last byte."""
        signature = bytearray(self._signer.sign(message))
        signature[63] |= self._signer.public_key().public_bytes_raw()[31] & 0x80
        return bytes(signature)


def verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether an XEdDSA signature is the owner's of a Montgomery key (32 bytes, or 33 with its type)."""
    u = int.from_bytes(public[-32:], "little")
    y = (u - 1) * pow(u + 1, -1, _PRIME) % _PRIME
    edwards = bytearray(y.to_bytes(32, "little"))
    edwards[31] |= signature[63] & 0x80
    plain = signature[:63] + bytes([signature[63] & 0x7F])
    try:
        Ed25519PublicKey.from_public_bytes(bytes(edwards)).verify(plain, message)
    except InvalidSignature:
        return False
    return True


def hkdf(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    """HKDF-SHA256; an empty salt is 32 zeros."""
    pseudorandom = hmac_sha256(salt or bytes(32), secret)
    output, block = b"", b""
    for counter in range(1, -(-length // 32) + 1):
        block = hmac_sha256(pseudorandom, block + info + bytes([counter]))
        output += block
    return output[:length]


def hmac_sha256(key: bytes, message: bytes) -> bytes:
    """HMAC-SHA256."""
    return hmac.digest(key, message, "sha256")

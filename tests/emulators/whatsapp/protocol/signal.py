"""Signal as WhatsApp uses it: one device writes to another (X3DH, then one chain), and to a group (sender keys).

https://signal.org/docs/specifications/x3dh/ and doubleratchet/; constants as in libsignal. The emulated phones never
answer on a session, so a session never ratchets: each message to them is still a pre-key message that says all that is
needed to read it, and each of theirs begins a session.
"""

import secrets
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from .keys import KeyPair, hkdf, hmac_sha256, verify
from .protobuf import Schema, decode, encode

_VERSION = b"\x33"
_MAC_BYTES, _SIGNATURE_BYTES = 8, 64

_PRE_KEY_MESSAGE: Schema = {
    "pre_key_id": (1, "int"),
    "base_key": (2, "bytes"),
    "identity_key": (3, "bytes"),
    "message": (4, "bytes"),
    "registration_id": (5, "int"),
    "signed_pre_key_id": (6, "int"),
}
_MESSAGE: Schema = {
    "ratchet_key": (1, "bytes"),
    "counter": (2, "int"),
    "previous_counter": (3, "int"),
    "ciphertext": (4, "bytes"),
}
_SENDER_KEY_MESSAGE: Schema = {"id": (1, "int"), "iteration": (2, "int"), "ciphertext": (3, "bytes")}
_DISTRIBUTION: Schema = {
    "id": (1, "int"),
    "iteration": (2, "int"),
    "chain_key": (3, "bytes"),
    "signing_key": (4, "bytes"),
}


class UndecryptableError(ValueError):
    """A ciphertext that is not for these keys."""


@dataclass(frozen=True)
class PreKeyBundle:
    """What a server says of a device, for others to begin a session with it."""

    registration_id: int
    identity: bytes
    signed_pre_key_id: int
    signed_pre_key: bytes
    one_time: tuple[int, bytes] | None = None


@dataclass(frozen=True)
class DeviceKeys:
    """The private side of a bundle: the identity and one signed pre-key."""

    identity: KeyPair
    signed_pre_key: KeyPair
    registration_id: int
    signed_pre_key_id: int = 1

    @classmethod
    def derived(cls, name: str) -> "DeviceKeys":
        """The same keys for the same name, in every process."""
        identity, signed = KeyPair.derived("identity", name), KeyPair.derived("signed pre-key", name)
        return cls(identity, signed, 1 + int.from_bytes(identity.public[:2]) % 0x3FFF)

    @property
    def signature(self) -> bytes:
        """The identity's signature of the signed pre-key."""
        return self.identity.sign(self.signed_pre_key.typed_public)

    def encrypt(self, recipient: PreKeyBundle, plaintext: bytes) -> bytes:
        """A pre-key message that begins a session with a device."""
        base, ratchet = KeyPair.generate(), KeyPair.generate()
        secrets_ = [
            self.identity.agree(recipient.signed_pre_key),
            base.agree(recipient.identity),
            base.agree(recipient.signed_pre_key),
        ]
        if recipient.one_time:
            secrets_.append(base.agree(recipient.one_time[1]))
        root, _ = _session(secrets_)
        chain = _ratchet(root, ratchet.agree(recipient.signed_pre_key))
        identities = self.identity.typed_public + b"\x05" + recipient.identity
        names = {"pre_key_id": recipient.one_time[0]} if recipient.one_time else {}
        return _VERSION + encode(
            _PRE_KEY_MESSAGE,
            {
                **names,
                "base_key": base.typed_public,
                "identity_key": self.identity.typed_public,
                "message": _seal(chain, identities, ratchet.typed_public, plaintext),
                "registration_id": self.registration_id,
                "signed_pre_key_id": recipient.signed_pre_key_id,
            },
        )

    def decrypt(self, pre_key_message: bytes) -> bytes:
        """The plaintext of a pre-key message to this device; it used no one-time key.

        Raises:
            UndecryptableError: It is for somebody else, or damaged.
        """
        outer = decode(_PRE_KEY_MESSAGE, pre_key_message[1:])
        base, sender = outer["base_key"], outer["identity_key"]
        agreed = [self.signed_pre_key.agree(sender), self.identity.agree(base), self.signed_pre_key.agree(base)]
        root, _ = _session(agreed)
        body, mac = outer["message"][:-_MAC_BYTES], outer["message"][-_MAC_BYTES:]
        inner = decode(_MESSAGE, body[1:])
        chain = _ratchet(root, self.signed_pre_key.agree(inner["ratchet_key"]))
        cipher, mac_key, iv = _message_keys(_advance(chain, inner["counter"]))
        if hmac_sha256(mac_key, sender + self.identity.typed_public + body)[:_MAC_BYTES] != mac:
            raise UndecryptableError("the MAC of a message does not fit")
        return decrypt_cbc(cipher, iv, inner["ciphertext"])


@dataclass
class SenderKey:
    """A member's own sending chain of one group."""

    key_id: int = field(default_factory=lambda: secrets.randbelow(2**31 - 1) + 1)
    chain: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    signing: KeyPair = field(default_factory=KeyPair.generate)
    iteration: int = 0

    @property
    def distribution(self) -> bytes:
        """What others need in order to read what follows."""
        values = {
            "id": self.key_id,
            "iteration": self.iteration,
            "chain_key": self.chain,
            "signing_key": self.signing.typed_public,
        }
        return _VERSION + encode(_DISTRIBUTION, values)

    def encrypt(self, plaintext: bytes) -> bytes:
        """The next message of the chain."""
        iv, cipher = _group_keys(self.chain)
        values = {
            "id": self.key_id,
            "iteration": self.iteration,
            "ciphertext": encrypt_cbc(cipher, iv, plaintext),
        }
        self.chain, self.iteration = hmac_sha256(self.chain, b"\x02"), self.iteration + 1
        message = _VERSION + encode(_SENDER_KEY_MESSAGE, values)
        return message + self.signing.sign(message)


def decrypt_group(distribution: bytes, ciphertext: bytes) -> bytes:
    """The plaintext of a group message, with what its sender has distributed before or with it.

    Raises:
        UndecryptableError: The chain is another, or the signature is not the sender's.
    """
    known = decode(_DISTRIBUTION, distribution[1:])
    message, signature = ciphertext[:-_SIGNATURE_BYTES], ciphertext[-_SIGNATURE_BYTES:]
    values = decode(_SENDER_KEY_MESSAGE, message[1:])
    if values["id"] != known["id"]:
        raise UndecryptableError(f"sender key {values['id']} was not distributed")
    if not verify(known["signing_key"], message, signature):
        raise UndecryptableError("the signature of a group message does not fit")
    iv, cipher = _group_keys(_advance(known["chain_key"], values["iteration"] - known["iteration"]))
    return decrypt_cbc(cipher, iv, values["ciphertext"])


def pad(plaintext: bytes) -> bytes:
    """Random padding of 1 to 15 bytes that all say how many they are."""
    length = secrets.randbelow(15) + 1
    return plaintext + bytes([length]) * length


def unpad(padded: bytes) -> bytes:
    """Without the padding.

    Raises:
        UndecryptableError: It is not padded so.
    """
    length = padded[-1] if padded else 0
    if not 1 <= length <= 16 or padded[-length:] != bytes([length]) * length:
        raise UndecryptableError(f"padding of {length} bytes")
    return padded[:-length]


def encrypt_cbc(key: bytes, iv: bytes, plaintext: bytes) -> bytes:
    """AES-256-CBC with PKCS#7."""
    padder = PKCS7(128).padder()
    encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    return encryptor.update(padder.update(plaintext) + padder.finalize()) + encryptor.finalize()


def decrypt_cbc(key: bytes, iv: bytes, ciphertext: bytes) -> bytes:
    """The opposite of `encrypt_cbc`.

    Raises:
        ValueError: The padding is wrong.
    """
    decryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor()
    unpadder = PKCS7(128).unpadder()
    return unpadder.update(decryptor.update(ciphertext) + decryptor.finalize()) + unpadder.finalize()


def _session(agreed: list[bytes]) -> tuple[bytes, bytes]:
    keys = hkdf(b"\xff" * 32 + b"".join(agreed), b"", b"WhisperText", 64)
    return keys[:32], keys[32:]


def _ratchet(root: bytes, agreed: bytes) -> bytes:
    return hkdf(agreed, root, b"WhisperRatchet", 64)[32:]


def _advance(chain: bytes, steps: int) -> bytes:
    if steps < 0:
        raise UndecryptableError(f"the chain is {-steps} messages ahead")
    for _ in range(steps):
        chain = hmac_sha256(chain, b"\x02")
    return chain


def _message_keys(chain: bytes) -> tuple[bytes, bytes, bytes]:
    keys = hkdf(hmac_sha256(chain, b"\x01"), b"", b"WhisperMessageKeys", 80)
    return keys[:32], keys[32:64], keys[64:]


def _group_keys(chain: bytes) -> tuple[bytes, bytes]:
    keys = hkdf(hmac_sha256(chain, b"\x01"), b"", b"WhisperGroup", 48)
    return keys[:16], keys[16:]


def _seal(chain: bytes, identities: bytes, ratchet: bytes, plaintext: bytes) -> bytes:
    cipher, mac_key, iv = _message_keys(chain)
    values = {
        "ratchet_key": ratchet,
        "counter": 0,
        "previous_counter": 0,
        "ciphertext": encrypt_cbc(cipher, iv, plaintext),
    }
    body = _VERSION + encode(_MESSAGE, values)
    return body + hmac_sha256(mac_key, identities + body)[:_MAC_BYTES]

"""Linking a companion: what the phone does when it scans the QR code, or when the code is typed into it.

The cryptography is that of whatsmeow's `pair.go` and `pair-code.go`, from the phone's side.
"""

import base64
import hashlib
import secrets
import time
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .account import Account, LinkedDevice
from .connection import Connection
from .protocol.binary_xml import SERVER, Attributes, Node
from .protocol.keys import KeyPair, hkdf, hmac_sha256, verify
from .protocol.protobuf import decode, encode
from .schemas import ADV_IDENTITY, ADV_SEALED, ADV_SIGNED

_REFERENCES = 6
_ACCOUNT_PREFIX, _DEVICE_PREFIX = b"\x06\x00", b"\x06\x01"
_CODE_ROUNDS = 131072


class PairingError(Exception):
    """The phone cannot link this; the message says why."""


@dataclass
class Registration:
    """A connected client that wants to be linked."""

    connection: Connection
    references: list[str] = field(default_factory=lambda: [_reference() for _ in range(_REFERENCES)])
    code_reference: str | None = None
    wrapped_ephemeral: bytes = b""
    """Of a pairing code: what only the typed code opens."""

    @property
    def identity(self) -> bytes:
        """The client's public identity key."""
        return bytes(self.connection.payload["devicePairingData"]["eIdent"])

    async def offer(self) -> None:
        """Give the client what its QR codes refer to."""
        references = [Node("ref", content=reference) for reference in self.references]
        attributes: Attributes = {"from": SERVER, "type": "set", "id": self.connection.next_id(), "xmlns": "md"}
        await self.connection.send(Node("iq", attributes, [Node("pair-device", content=references)]))

    async def hello(self, query: Node, request: Node) -> None:
        """Answer a client that shows a code to be typed."""
        wrapped = request.child("link_code_pairing_wrapped_companion_ephemeral_pub")
        if wrapped is None:
            raise PairingError("a pairing code without its key")
        self.wrapped_ephemeral, self.code_reference = wrapped.data, _reference()
        reference = Node("link_code_pairing_ref", content=self.code_reference)
        await self.connection.answer(query, Node("link_code_companion_reg", content=[reference]))


@dataclass(frozen=True)
class CodeExchange:
    """The phone's part after a code was typed: `begin`, then `finish` with what the client answers."""

    registration: Registration
    phone: KeyPair
    code: str
    ephemeral: KeyPair = field(default_factory=KeyPair.generate)

    async def begin(self) -> None:
        """Show the client that the code is known."""
        salt, iv = secrets.token_bytes(32), secrets.token_bytes(16)
        wrapped = salt + iv + _apply_code(self.code, salt, iv, self.ephemeral.public)
        content = [
            Node("link_code_pairing_ref", content=self.registration.code_reference),
            Node("link_code_pairing_wrapped_primary_ephemeral_pub", content=wrapped),
            Node("primary_identity_pub", content=self.phone.public),
        ]
        connection = self.registration.connection
        attributes: Attributes = {
            "from": SERVER,
            "type": "link_code_companion_reg",
            "id": connection.next_id(),
            "t": int(time.time()),
        }
        stage = Node("link_code_companion_reg", {"stage": "primary_hello"}, content)
        await connection.send(Node("notification", attributes, [stage]))

    def finish(self, request: Node) -> bytes:
        """The secret that authenticates the link.

        Raises:
            PairingError: The client has been given another code.
        """
        bundle = request.child("link_code_pairing_wrapped_key_bundle")
        if bundle is None:
            raise PairingError("the client has not finished the pairing code")
        shared = self.ephemeral.agree(self._companion_ephemeral())
        key = hkdf(shared, bundle.data[:32], b"link_code_pairing_key_bundle_encryption_key", 32)
        try:
            opened = AESGCM(key).decrypt(bundle.data[32:44], bundle.data[44:], None)
        except InvalidTag:
            raise PairingError("the code that was typed is not the one that the client shows") from None
        identity, phone, random = opened[:32], opened[32:64], opened[64:]
        if identity != self.registration.identity or phone != self.phone.public:
            raise PairingError("the client answers the pairing code with the keys of others")
        return hkdf(shared + self.phone.agree(identity) + random, b"", b"adv_secret", 32)

    def _companion_ephemeral(self) -> bytes:
        wrapped = self.registration.wrapped_ephemeral
        return _apply_code(self.code, wrapped[:32], wrapped[32:48], wrapped[48:])


@dataclass(frozen=True)
class Link:
    """The phone's signature of a companion, on its way there and back."""

    account: Account
    registration: Registration
    secret: bytes
    query_id: str = field(default_factory=lambda: secrets.token_hex(8))
    details: bytes = field(
        default_factory=lambda: encode(ADV_IDENTITY, {"rawID": 1, "timestamp": int(time.time()), "keyIndex": 1})
    )

    @classmethod
    def scanned(cls, account: Account, payload: str, registrations: list[Registration]) -> "Link":
        """From the text of a QR code.

        Raises:
            PairingError: No client that waits has shown it.
        """
        reference, _, identity, secret, *_ = payload.rpartition("#")[2].split(",")
        for registration in registrations:
            if reference in registration.references and base64.b64decode(identity) == registration.identity:
                return cls(account, registration, base64.b64decode(secret))
        raise PairingError("no client that waits has shown this QR code")

    async def send(self) -> None:
        """Give the client the phone's signature."""
        phone = self.account.owner.keys().identity
        message = _ACCOUNT_PREFIX + self.details + self.registration.identity
        signed = encode(
            ADV_SIGNED,
            {
                "details": self.details,
                "accountSignatureKey": phone.public,
                "accountSignature": phone.sign(message),
            },
        )
        sealed = encode(ADV_SEALED, {"details": signed, "HMAC": hmac_sha256(self.secret, signed)})
        content = [
            Node("device-identity", content=sealed),
            Node("device", {"jid": self.account.device_jid, "lid": self.account.device_lid}),
            Node("platform", {"name": "android"}),
        ]
        attributes: Attributes = {"from": SERVER, "type": "set", "id": self.query_id, "t": int(time.time())}
        await self.registration.connection.send(Node("iq", attributes, [Node("pair-success", content=content)]))

    def confirmed(self, answer: Node) -> LinkedDevice:
        """The device that has signed back.

        Raises:
            PairingError: The client refuses, or its signature is not its own.
        """
        signed = answer.child("pair-device-sign", "device-identity")
        if signed is None:
            error = answer.child("error")
            raise PairingError(f"the client refuses to be linked: {error.text('text') if error else answer}")
        identity, phone = self.registration.identity, self.account.owner.keys().identity.public
        message = _DEVICE_PREFIX + self.details + identity + phone
        if not verify(identity, message, decode(ADV_SIGNED, signed.data)["deviceSignature"]):
            raise PairingError("the client's signature of the link does not fit")
        connection = self.registration.connection
        data = connection.payload["devicePairingData"]
        return LinkedDevice.registered(self.account.next_number, connection.secured.client_static, data)


def _reference() -> str:
    return "2@" + base64.b64encode(secrets.token_bytes(24)).decode()


def _apply_code(code: str, salt: bytes, iv: bytes, data: bytes) -> bytes:
    key = hashlib.pbkdf2_hmac("sha256", code.replace("-", "").encode(), salt, _CODE_ROUNDS, 32)
    encryptor = Cipher(algorithms.AES(key), modes.CTR(iv)).encryptor()
    return encryptor.update(data) + encryptor.finalize()

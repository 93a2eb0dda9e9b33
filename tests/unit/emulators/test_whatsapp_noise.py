"""The handshake, against a client written here from the Noise specification, and the frames."""

import hashlib
import time

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st
from tests.emulators.whatsapp.protocol.keys import KeyPair, hkdf, verify
from tests.emulators.whatsapp.protocol.noise import HEADER, Authority, FrameReader, Handshake, frame
from tests.emulators.whatsapp.protocol.protobuf import Schema, decode, encode

HELLO: Schema = {"e": (1, "bytes"), "s": (2, "bytes"), "payload": (3, "bytes")}
FINISH: Schema = {"s": (1, "bytes"), "payload": (2, "bytes")}
HANDSHAKE: Schema = {"client": (2, HELLO), "server": (3, HELLO), "finish": (4, FINISH)}
CERTIFICATE: Schema = {"details": (1, "bytes"), "signature": (2, "bytes")}
CHAIN: Schema = {"leaf": (1, CERTIFICATE), "intermediate": (2, CERTIFICATE)}
DETAILS: Schema = {
    "serial": (1, "int"),
    "issuer": (2, "int"),
    "key": (3, "bytes"),
    "not_before": (4, "int"),
    "not_after": (5, "int"),
}


class Initiator:
    """XX: -> e, <- e, ee, s, es, -> s, se."""

    def __init__(self) -> None:
        self.ephemeral, self.static = KeyPair.generate(), KeyPair.generate()
        self.chaining = self.key = self.hash = b"Noise_XX_25519_AESGCM_SHA256".ljust(32, b"\0")
        self.nonce = 0
        self.mix_hash(HEADER)

    def mix_hash(self, data: bytes) -> None:
        self.hash = hashlib.sha256(self.hash + data).digest()

    def mix_key(self, secret: bytes) -> None:
        output = hkdf(secret, self.chaining, b"", 64)
        self.chaining, self.key, self.nonce = output[:32], output[32:], 0

    def iv(self) -> bytes:
        self.nonce += 1
        return (self.nonce - 1).to_bytes(12)

    def open(self, data: bytes) -> bytes:
        plain = AESGCM(self.key).decrypt(self.iv(), data, self.hash)
        self.mix_hash(data)
        return plain

    def seal(self, plain: bytes) -> bytes:
        data = AESGCM(self.key).encrypt(self.iv(), plain, self.hash)
        self.mix_hash(data)
        return data

    def hello(self) -> bytes:
        self.mix_hash(self.ephemeral.public)
        return encode(HANDSHAKE, {"client": {"e": self.ephemeral.public}})

    def answer(self, server_hello: bytes, payload: bytes) -> tuple[bytes, bytes, bytes]:
        """What it sends last; the server's certificates and static key."""
        hello = decode(HANDSHAKE, server_hello)["server"]
        self.mix_hash(hello["e"])
        self.mix_key(self.ephemeral.agree(hello["e"]))
        server_static = self.open(hello["s"])
        self.mix_key(self.ephemeral.agree(server_static))
        chain = self.open(hello["payload"])
        static = self.seal(self.static.public)
        self.mix_key(self.static.agree(hello["e"]))
        finish = encode(HANDSHAKE, {"finish": {"s": static, "payload": self.seal(payload)}})
        return finish, chain, server_static


def test_a_client_of_the_specification_gets_through() -> None:
    handshake, client = Handshake(Authority()), Initiator()
    finish, _, _ = client.answer(handshake.hello(client.hello()), b"who I am")

    secured = handshake.finish(finish)

    assert (secured.client_static, secured.client_payload) == (client.static.public, b"who I am")
    keys = hkdf(b"", client.chaining, b"", 64)
    for counter in range(2):
        sent = AESGCM(keys[:32]).encrypt(counter.to_bytes(12), b"up", None)
        assert secured.inbound.decrypt(sent) == b"up"
        got = AESGCM(keys[32:]).decrypt(counter.to_bytes(12), secured.outbound.encrypt(b"down"), None)
        assert got == b"down"


def test_a_client_that_has_seen_another_hello_does_not() -> None:
    handshake, client = Handshake(Authority()), Initiator()
    server_hello = handshake.hello(client.hello())
    client.mix_hash(b"something that the server has not said")

    with pytest.raises(InvalidTag):
        client.answer(server_hello, b"")


def test_the_certificates_lead_from_the_root_to_the_static_key() -> None:
    authority = Authority()
    handshake, client = Handshake(authority), Initiator()
    _, chain, static = client.answer(handshake.hello(client.hello()), b"")

    certificates = decode(CHAIN, chain)
    leaf, intermediate = (decode(DETAILS, certificates[name]["details"]) for name in ("leaf", "intermediate"))

    assert verify(
        authority.root_key, certificates["intermediate"]["details"], certificates["intermediate"]["signature"]
    )
    assert verify(intermediate["key"], certificates["leaf"]["details"], certificates["leaf"]["signature"])
    assert (leaf["key"], leaf["issuer"], intermediate["issuer"]) == (static, intermediate["serial"], 0)
    assert leaf["not_before"] < time.time() < leaf["not_after"]


@given(payloads=st.lists(st.binary(max_size=300), max_size=5), cuts=st.lists(st.integers(1, 200), max_size=40))
def test_frames_are_found_however_the_stream_is_cut(payloads: list[bytes], cuts: list[int]) -> None:
    stream, reader = HEADER + b"".join(frame(payload) for payload in payloads), FrameReader()
    found: list[bytes] = []
    for cut in [*cuts, len(stream)]:
        found += reader.feed(stream[:cut])
        stream = stream[cut:]

    assert found == payloads


def test_another_protocol_is_refused() -> None:
    with pytest.raises(ValueError, match="begins with"):
        list(FrameReader().feed(b"GET / HTTP/1.1"))

"""Messages to one and to many: they can be read with the right keys, and with no others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.emulators.whatsapp.protocol.signal import (
    DeviceKeys,
    PreKeyBundle,
    SenderKey,
    UndecryptableError,
    decrypt_group,
    pad,
    unpad,
)

ANA, BETO = DeviceKeys.derived("ana"), DeviceKeys.derived("beto")


def bundle(keys: DeviceKeys) -> PreKeyBundle:
    return PreKeyBundle(keys.registration_id, keys.identity.public, 1, keys.signed_pre_key.public)


@given(plaintext=st.binary(max_size=200))
def test_a_message_to_one(plaintext: bytes) -> None:
    assert BETO.decrypt(ANA.encrypt(bundle(BETO), plaintext)) == plaintext


def test_a_message_to_another() -> None:
    with pytest.raises(UndecryptableError, match="MAC"):
        ANA.decrypt(ANA.encrypt(bundle(BETO), b"hola"))


def test_a_message_that_was_changed() -> None:
    message = bytearray(ANA.encrypt(bundle(BETO), b"hola"))
    inner = bytes(message).find(b"\x33", 1)
    message[inner + 60] ^= 1

    with pytest.raises(UndecryptableError):
        BETO.decrypt(bytes(message))


def test_a_chain_can_be_read_from_where_it_was_told() -> None:
    key = SenderKey()
    first = key.encrypt(b"uno")
    distribution = key.distribution
    second, third = key.encrypt(b"dos"), key.encrypt(b"tres")

    assert [decrypt_group(distribution, message) for message in (second, third)] == [b"dos", b"tres"]
    with pytest.raises(UndecryptableError, match="ahead"):
        decrypt_group(distribution, first)


def test_another_chain_cannot_be_read() -> None:
    with pytest.raises(UndecryptableError, match="was not distributed"):
        decrypt_group(SenderKey().distribution, SenderKey().encrypt(b"hola"))


def test_another_signature_is_refused() -> None:
    key = SenderKey()
    distribution, message = key.distribution, key.encrypt(b"hola")

    with pytest.raises(UndecryptableError, match="signature"):
        decrypt_group(distribution, message[:-1] + bytes([message[-1] ^ 1]))


@given(plaintext=st.binary(max_size=50))
def test_padding(plaintext: bytes) -> None:
    assert unpad(pad(plaintext)) == plaintext


@pytest.mark.parametrize("data", [b"", b"hola\x00", b"hola\x03\x02\x03", b"a\x11"])
def test_what_is_not_padded(data: bytes) -> None:
    with pytest.raises(UndecryptableError, match="padding"):
        unpad(data)

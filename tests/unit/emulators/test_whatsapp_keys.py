"""Key pairs, against published vectors and against what must never verify."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from tests.emulators.whatsapp.protocol.keys import KeyPair, hkdf, verify

_PRIME = 2**255 - 19
seeds = st.binary(min_size=32, max_size=32)


@given(seed=seeds, message=st.binary())
def test_a_signature_verifies_under_the_montgomery_key(seed: bytes, message: bytes) -> None:
    pair = KeyPair.from_seed(seed)

    assert verify(pair.public, message, pair.sign(message))
    assert verify(pair.typed_public, message, pair.sign(message))


@given(seed=seeds, position=st.integers(0, 511))
def test_a_changed_signature_does_not_verify(seed: bytes, position: int) -> None:
    pair = KeyPair.from_seed(seed)
    changed = bytearray(pair.sign(b"hola"))
    changed[position // 8] ^= 1 << position % 8

    assert not verify(pair.public, b"hola", bytes(changed))


def test_nobody_elses_signature_verifies() -> None:
    assert not verify(KeyPair.generate().public, b"hola", KeyPair.generate().sign(b"hola"))


@given(seed=seeds)
def test_both_forms_of_the_key_are_one_point(seed: bytes) -> None:
    """u = (1 + y) / (1 - y): what agrees is what signs."""
    edwards = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    y = int.from_bytes(edwards, "little") & (2**255 - 1)
    u = (1 + y) * pow(1 - y, -1, _PRIME) % _PRIME

    assert KeyPair.from_seed(seed).public == u.to_bytes(32, "little")


def test_two_agree() -> None:
    ana, beto = KeyPair.generate(), KeyPair.generate()

    assert ana.agree(beto.public) == beto.agree(ana.typed_public)


def test_the_same_names_give_the_same_pair() -> None:
    assert KeyPair.derived("a", "b") == KeyPair.derived("a", "b")
    assert KeyPair.derived("a", "b").public != KeyPair.derived("a", "c").public


@pytest.mark.parametrize(
    ("secret", "salt", "info", "length", "output"),
    [
        (
            "0b" * 22,
            "000102030405060708090a0b0c",
            "f0f1f2f3f4f5f6f7f8f9",
            42,
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
        ),
        (
            "0b" * 22,
            "",
            "",
            42,
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
        ),
    ],
    ids=["RFC 5869 A.1", "RFC 5869 A.3"],
)
def test_hkdf(secret: str, salt: str, info: str, length: int, output: str) -> None:
    derived = hkdf(bytes.fromhex(secret), bytes.fromhex(salt), bytes.fromhex(info), length)

    assert derived.hex() == output

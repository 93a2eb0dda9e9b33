import pytest
from hypothesis import given
from hypothesis import strategies as st

from supportbot.whatsapp.neonize.damaged import without_contents


def field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2, len(content)]) + content


def test_leaves_out_what_a_stranger_has_written() -> None:
    info, flag, fixed = field(1, b"info"), b"\x18\x01", b"\x25abcd"

    assert without_contents(info + field(2, b"\xff\xff") + flag + fixed + field(14, b"raw")) == info + flag + fixed


@pytest.mark.parametrize("data", [b"\x0a", b"\x0a\x05ab", b"\xff" * 11, b"\x0b", b"\x09abc"])
def test_refuses_what_is_no_protobuf(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"is cut off|unknown kind"):
        without_contents(data)


@given(st.binary(max_size=200))
def test_ends_on_any_bytes(data: bytes) -> None:
    try:
        assert len(without_contents(data)) <= len(data)
    except ValueError:
        return

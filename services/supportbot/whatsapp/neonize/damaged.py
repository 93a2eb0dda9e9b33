"""What is left of an event whose message cannot be decoded: who sent it, where and when. Pure.

A stranger can send a message that the library passes on but protobuf refuses here, by nesting it too deep. Knowing that
it came is then all there is; only the outermost fields are read, which the library itself has written.
"""

from collections.abc import Iterator

_CONTENTS = frozenset({2, 10, 14})
"""`Message`, `SourceWebMsg` and `Raw` in the library's `Message` event: all that a stranger has written."""
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def without_contents(event: bytes) -> bytes:
    """The event without what the sender wrote.

    Raises:
        ValueError: These bytes are no protobuf at all.
    """
    return b"".join(event[begin:end] for number, begin, end in _fields(event) if number not in _CONTENTS)


def _fields(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Number, begin and end of each field."""
    at = 0
    while at < len(data):
        begin = at
        tag, at = _read_varint(data, at)
        number, kind = tag >> 3, tag & 7
        if kind == _BYTES:
            size, at = _read_varint(data, at)
            at += size
        elif kind == _VARINT:
            _, at = _read_varint(data, at)
        elif kind in (_FIXED64, _FIXED32):
            at += 8 if kind == _FIXED64 else 4
        else:
            raise ValueError(f"field {number} is of the unknown kind {kind}")
        if at > len(data):
            raise ValueError(f"field {number} is cut off")
        yield number, begin, at


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data) and shift < 64:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
    raise ValueError("a number is cut off or too long")

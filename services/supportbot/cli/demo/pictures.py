"""Small generated files for the demo's messages: real PNG, PDF and Ogg headers, no photographs of anybody."""

import hashlib
import struct
import zlib

_WIDTH, _HEIGHT = 240, 160


def make_png(subject: str) -> bytes:
    """A picture of a screen whose colours and bars follow from `subject`, so that no two subjects look alike."""
    seed = hashlib.sha256(subject.encode()).digest()
    frame, screen, bar = (
        seed[0:3],
        bytes(n // 4 for n in seed[3:6]),
        bytes(128 + n // 2 for n in seed[6:9]),
    )
    lengths = [40 + value % 160 for value in seed[9:15]]
    rows = bytearray()
    for y in range(_HEIGHT):
        rows.append(0)
        for x in range(_WIDTH):
            rows += _pixel(x, y, frame=frame, screen=screen, bar=bar, lengths=lengths)
    header = struct.pack(">IIBBBBB", _WIDTH, _HEIGHT, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", zlib.compress(bytes(rows), 9))
        + _chunk(b"IEND", b"")
    )


def make_document(name: str) -> bytes:
    """The smallest PDF that viewers open, with one empty page and `name` as its title."""
    title = name.encode("ascii", "replace").decode()
    body = (
        "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        "2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
        "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>endobj\n"
        f"4 0 obj<</Title({title})>>endobj\n"
        "trailer<</Root 1 0 R/Info 4 0 R>>\n%%EOF\n"
    )
    return body.encode("ascii")


def make_voice_note(name: str) -> bytes:
    """An Ogg Opus head without audio, different for each `name`."""
    head = b"OpusHead\x01\x01\x00\x00\x80\xbb\x00\x00\x00\x00\x00"
    serial = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "little")
    return b"OggS\x00\x02" + bytes(8) + struct.pack("<IIIB", serial, 0, 0, 1) + bytes([len(head)]) + head


def _pixel(x: int, y: int, *, frame: bytes, screen: bytes, bar: bytes, lengths: list[int]) -> bytes:
    if x < 10 or x >= _WIDTH - 10 or y < 10 or y >= _HEIGHT - 10:
        return frame
    line, offset = divmod(y - 20, 22)
    if 0 <= line < len(lengths) and offset < 8 and 20 <= x < 20 + lengths[line]:
        return bar
    return screen


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

"""Whatever is handed over, the answer is a chat or one sentence that helps."""

import io
import os
import re
import struct
import unicodedata
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.exports import tiny_jpeg, write_zip

from supportbot.errors import UserError
from supportbot.export import archive
from supportbot.export.chat import read_chat

CHAT = "31/1/26, 9:05 - Ana: hola ñ\n".encode()
PHOTO = tiny_jpeg(80)
EXPORTED = "use 'Export chat' in WhatsApp and give the file it makes."


def _write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def _missing(folder: Path) -> Path:
    return folder / "chat.zip"


def _folder(folder: Path) -> Path:
    return folder


def _pipe(folder: Path) -> Path:
    os.mkfifo(folder / "pipe.txt")
    return folder / "pipe.txt"


def _truncated(folder: Path) -> Path:
    path = write_zip(folder / "chat.zip", {"_chat.txt": CHAT, "a.jpg": PHOTO})
    return _write(path, path.read_bytes()[:-40])


def _corrupt(folder: Path) -> Path:
    path = write_zip(folder / "chat.zip", {"_chat.txt": CHAT * 50})
    data = bytearray(path.read_bytes())
    data[45] ^= 0xFF
    return _write(path, bytes(data))


def _encrypted(folder: Path) -> Path:
    """The flag in the table of contents is what tells; the text need not be encrypted for the test."""
    path = write_zip(folder / "chat.zip", {"_chat.txt": CHAT})
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return _write(path, bytes(data))


def _nested(folder: Path) -> Path:
    inner = write_zip(folder / "inner.zip", {"_chat.txt": CHAT})
    return write_zip(folder / "outer.zip", {"takeout/WhatsApp Chat - Soporte.zip": inner.read_bytes()})


def _many_texts(folder: Path) -> Path:
    return write_zip(folder / "cosas.zip", {"a.txt": b"a", "b.txt": b"b"})


def _bomb(folder: Path) -> Path:
    return write_zip(folder / "chat.zip", {"_chat.txt": CHAT, "a.jpg": b"\0" * (16 * archive.MIB)})


def _lying(folder: Path, size: int) -> Path:
    """A zip whose table of contents declares another size for the photo."""
    path = write_zip(folder / "chat.zip", {"_chat.txt": CHAT, "a.jpg": PHOTO})
    data = bytearray(path.read_bytes())
    entry = data.rindex(b"PK\x01\x02")
    data[entry + 24 : entry + 28] = struct.pack("<I", size)
    data[entry + 20 : entry + 24] = struct.pack("<I", size)
    return _write(path, bytes(data))


def _huge_table(folder: Path) -> Path:
    path = write_zip(folder / "chat.zip", {"_chat.txt": CHAT})
    data = bytearray(path.read_bytes())
    end = data.rindex(b"PK\x05\x06")
    data[end + 12 : end + 16] = struct.pack("<I", archive.DIRECTORY_LIMIT_BYTES + 1)
    return _write(path, bytes(data))


def _bzip2(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "chat.zip", "w", zipfile.ZIP_BZIP2) as file:
        file.writestr("_chat.txt", CHAT)
    return folder / "chat.zip"


@dataclass(frozen=True)
class Bad:
    name: str
    make: Callable[[Path], Path]
    sentence: str


BAD = (
    Bad("missing", _missing, "does not exist: check the path of the exported chat."),
    Bad("folder", _folder, "is a folder: give the .zip of the export, or the .txt with the chat."),
    Bad("pipe", _pipe, f"is not a file: {EXPORTED}"),
    Bad("empty", lambda folder: _write(folder / "a.txt", b""), f"is empty: {EXPORTED}"),
    Bad("blank", lambda folder: _write(folder / "a.txt", b" \r\n\n"), f"is empty: {EXPORTED}"),
    Bad("mark only", lambda folder: _write(folder / "a.txt", b"\xef\xbb\xbf"), "holds no WhatsApp message"),
    Bad(
        "no chat", lambda folder: _write(folder / "a.txt", b"Dear Ana,\n1/2/26 hi\n"), "holds no WhatsApp message: use"
    ),
    Bad(
        "latin-1",
        lambda folder: _write(folder / "a.txt", "31/1/26, 9:05 - Ana: ñandú".encode("latin-1")),
        "is not UTF-8 text (byte 21): give the file as WhatsApp made it, not saved anew.",
    ),
    Bad("binary", lambda folder: _write(folder / "a.txt", b"\0\1\2 31/1/26"), f"is not a text: {EXPORTED}"),
    Bad("photo", lambda folder: _write(folder / "a.jpg", PHOTO), "is not UTF-8 text (byte 0)"),
    Bad("not a zip", lambda folder: _write(folder / "a.zip", CHAT), "is not a zip, or its beginning is lost"),
    Bad("truncated", _truncated, "is damaged or incomplete: copy it again, or export the chat again."),
    Bad("corrupt", _corrupt, "is damaged or incomplete: copy it again, or export the chat again."),
    Bad("encrypted", _encrypted, "is protected by a password: unpack it and give the .txt with the chat."),
    Bad("empty zip", lambda folder: write_zip(folder / "a.zip", {}), f"holds no .txt with the chat: {EXPORTED}"),
    Bad("no text", lambda folder: write_zip(folder / "a.zip", {"a.jpg": PHOTO}), "holds no .txt with the chat"),
    Bad(
        "nested",
        _nested,
        "holds another zip ('takeout/WhatsApp Chat - Soporte.zip'): unpack it and give the inner one.",
    ),
    Bad("many texts", _many_texts, "holds 2 texts: unpack it and give the .txt with the chat."),
    Bad("bomb", _bomb, "is packed too tightly to be a chat (a zip bomb?)"),
    Bad("too much", lambda folder: _lying(folder, 0xFFFF_FFF0), "would unpack to more than 2048 MiB"),
    Bad("huge table", _huge_table, f"lists too many files for a chat: {EXPORTED}"),
    Bad("bzip2", _bzip2, "is packed in an unusual way: unpack it and give the .txt with the chat."),
    Bad("empty inside", lambda folder: write_zip(folder / "a.zip", {"_chat.txt": b""}), f"is empty: {EXPORTED}"),
)


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.name)
def test_bad_input_gets_one_sentence(bad: Bad, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=re.escape(bad.sentence)) as caught:
        read_chat(bad.make(tmp_path))
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(".")


def test_too_many_entries(tmp_path: Path) -> None:
    path = tmp_path / "chat.zip"
    with zipfile.ZipFile(path, "w") as file:
        for number in range(archive.ENTRIES_LIMIT + 1):
            file.writestr(zipfile.ZipInfo(f"{number}.jpg"), b"")
    with pytest.raises(UserError, match=r"holds 50001 files, more than an exported chat can have"):
        read_chat(path)


def test_a_long_text_is_read_only_to_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "chat.txt"
    with path.open("wb") as file:
        file.truncate(archive.TEXT_LIMIT_BYTES * 20)
    with pytest.raises(UserError, match="is larger than 200 MiB"):
        read_chat(path)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("chat.txt", CHAT),
        ("chat.txt", b"\xef\xbb\xbf" + CHAT),
        ("chat.txt", CHAT.replace(b"\n", b"\r\n")),
        ("chat.txt", CHAT.decode().encode("utf-16")),
        ("chat.txt", b"\xfe\xff" + CHAT.decode().encode("utf-16-be")),
        ("chat", CHAT.rstrip() + "ñ".encode()[:1]),
    ],
    ids=["plain", "mark", "crlf", "utf-16", "utf-16-be", "cut in a character"],
)
def test_encodings(tmp_path: Path, name: str, data: bytes) -> None:
    assert [message.text for message in read_chat(_write(tmp_path / name, data)).messages] == ["hola ñ"]


@pytest.mark.parametrize(
    "files",
    [
        {"_chat.txt": CHAT, "notas.txt": b"x"},
        {"WhatsApp Chat with Caribe.txt": CHAT, "IMG.txt": b"x", "a.jpg": PHOTO},
        {"folder/_chat.txt": CHAT, "__MACOSX/folder/._chat.txt": b"\0\5\x16", "__MACOSX/_chat.txt": b"x"},
        {"Conversa do WhatsApp com Caribe.txt": CHAT, "chat.txt": b"x"},
        {"Caribe.txt": CHAT, "notas.txt": b"x"},
        {"raro.TXT": CHAT},
    ],
    ids=str,
)
def test_the_chat_in_a_zip_is_found(tmp_path: Path, files: dict[str, bytes]) -> None:
    assert read_chat(write_zip(tmp_path / "Caribe.zip", files)).messages[0].text == "hola ñ"


@pytest.mark.parametrize(
    ("zip_name", "text_name"),
    [("WhatsApp Chat - Caribe ñ.zip", "_chat.txt"), ("x.zip", "Chat de WhatsApp con Caribe ñ.txt")],
)
def test_the_title_comes_from_the_zip_or_the_text(tmp_path: Path, zip_name: str, text_name: str) -> None:
    assert read_chat(write_zip(tmp_path / zip_name, {text_name: CHAT})).title == "Caribe ñ"


def test_names_without_the_utf8_flag(tmp_path: Path) -> None:
    """Some phones write UTF-8 names without saying so."""
    path = write_zip(tmp_path / "a.zip", {"Chat de WhatsApp con Caribe ñ.txt": CHAT, "tienda ñ.jpg": PHOTO})
    data = bytearray(path.read_bytes())
    for header, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = -1
        while (at := data.find(header, at + 1)) >= 0:
            data[at + flags + 1] &= ~0x08
    chat = read_chat(_write(path, bytes(data)))
    assert chat.title == "Caribe ñ"
    assert chat.open_media("tienda ñ.jpg") == PHOTO


def test_a_name_written_with_combining_marks_is_found(tmp_path: Path) -> None:
    composed = "Rocío.jpg"
    combining = unicodedata.normalize("NFD", composed)
    zipped = read_chat(write_zip(tmp_path / "a.zip", {"_chat.txt": CHAT, combining: PHOTO}))
    _write(tmp_path / combining, PHOTO)
    beside = read_chat(_write(tmp_path / "a.txt", CHAT))
    assert (zipped.open_media(composed), beside.open_media(composed)) == (PHOTO, PHOTO)


def test_media_beside_the_text_stay_in_its_folder(tmp_path: Path) -> None:
    inside = tmp_path / "in"
    inside.mkdir()
    _write(tmp_path / "secret.txt", b"secret")
    _write(inside / "a.jpg", PHOTO)
    (inside / "link.jpg").symlink_to(tmp_path / "secret.txt")
    (inside / "folder.jpg").mkdir()
    chat = read_chat(_write(inside / "_chat.txt", CHAT))
    assert chat.open_media("a.jpg") == chat.open_media("/etc/../a.jpg") == PHOTO
    outside = ("../secret.txt", "/etc/passwd", str(tmp_path / "secret.txt"), "..\\secret.txt", "link.jpg")
    odd = ("folder.jpg", "missing.jpg", "", ".", "..", "a\0.jpg", "x" * 5000)
    assert [chat.open_media(name) for name in (*outside, *odd)] == [None] * 12


def test_hostile_names_in_a_zip_are_only_names(tmp_path: Path) -> None:
    files = {"_chat.txt": CHAT, "../../up.jpg": PHOTO, "/etc/passwd": b"x", "C:\\win.jpg": b"y"}
    chat = read_chat(write_zip(tmp_path / "a.zip", files))
    assert chat.open_media("up.jpg") == PHOTO
    assert chat.open_media("../../up.jpg") == PHOTO
    assert chat.open_media("group") is None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.zip"]


@pytest.mark.parametrize(("size", "found"), [(1, None), (len(PHOTO) - 1, None), (len(PHOTO) + 1000, PHOTO)])
def test_a_false_size_yields_the_whole_file_or_nothing(tmp_path: Path, size: int, found: bytes | None) -> None:
    assert read_chat(_lying(tmp_path, size)).open_media("a.jpg") == found


def test_media_above_the_limit_are_absent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MEDIA_LIMIT_BYTES", len(PHOTO))
    files = {"a.jpg": PHOTO, "b.jpg": PHOTO + b"\0"}
    zipped = read_chat(write_zip(tmp_path / "a.zip", {"_chat.txt": CHAT, **files}))
    for name, data in files.items():
        _write(tmp_path / name, data)
    beside = read_chat(_write(tmp_path / "_chat.txt", CHAT))
    for chat in (zipped, beside):
        assert (chat.open_media("a.jpg"), chat.open_media("b.jpg")) == (PHOTO, None)


def test_media_of_a_zip_that_went_away_are_absent(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"_chat.txt": CHAT, "a.jpg": PHOTO})
    chat = read_chat(path)
    path.unlink()
    assert chat.open_media("a.jpg") is None


def test_a_damaged_zip_never_raises_anything_else(tmp_path: Path) -> None:
    """Every byte of a small zip is damaged in turn."""
    good = io.BytesIO()
    with zipfile.ZipFile(good, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("_chat.txt", CHAT)
        file.writestr("a.jpg", PHOTO)
    data = good.getvalue()
    path = tmp_path / "a.zip"
    refused = 0
    for position in range(len(data)):
        for value in (0x00, 0xFF, data[position] ^ 1):
            path.write_bytes(data[:position] + bytes([value]) + data[position + 1 :])
            try:
                read_chat(path).open_media("a.jpg")
            except UserError:
                refused += 1
    assert refused > len(data) / 4

"""Opens an export (.txt, or .zip with media) and reads from it, however it was made. The only module with file access.

A zip comes from other people, so its own figures are not believed: every read is bounded, nothing is unpacked to disk,
and names inside it are only compared, never used as paths.
"""

import codecs
import re
import stat
import unicodedata
import zipfile
import zlib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Protocol

from supportbot.errors import UserError

MIB = 1024 * 1024
TEXT_LIMIT_BYTES = 200 * MIB
"""Of the chat's text. WhatsApp exports at most 40,000 messages without media, some 10 MB."""
MEDIA_LIMIT_BYTES = 100 * MIB
"""Of one file of media."""
TOTAL_LIMIT_BYTES = 2048 * MIB
"""Of all files in a zip, unpacked."""
ENTRIES_LIMIT = 50_000
"""Files in a zip. WhatsApp exports at most 10,000 messages with media."""
DIRECTORY_LIMIT_BYTES = 32 * MIB
"""Of the zip's table of contents, which the standard library reads whole."""
RATIO_LIMIT = 200
"""Unpacked to packed size of an entry above 10 MiB. Chats reach 10; deflate, and so a bomb, up to 1,032."""

_HOW = "use 'Export chat' in WhatsApp and give the file it makes"
_PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""All that phones use. The others of the standard library fail in ways of their own on damaged data."""
_BROKEN_ZIP = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, OverflowError)


class Media(Protocol):
    """Where the files of an export are."""

    def read(self, filename: str) -> bytes | None:
        """The bytes; `None` when absent, damaged, protected or above `MEDIA_LIMIT_BYTES`."""


@dataclass(frozen=True, kw_only=True)
class OpenedExport:
    """The text of an export, the name that may hold the chat's title (without suffix), and its media."""

    text: str
    stem: str
    media: Media


def open_export(path: Path) -> OpenedExport:
    """Read the chat's text from a .txt or .zip.

    Raises:
        UserError: Missing, not a file, damaged, too large, protected, or no chat inside; says what to do.
    """
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise UserError(f"{str(path)!r} is a folder: give the .zip of the export, or the .txt with the chat.")
        if not stat.S_ISREG(mode):
            raise UserError(f"{str(path)!r} is not a file: {_HOW}.")
        with path.open("rb") as file:
            if file.read(4) in (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08"):
                return _open_zip(path, file)
            if path.suffix.lower() == ".zip":
                raise UserError(
                    f"{str(path)!r} is not a zip, or its beginning is lost: copy it again, or export again."
                )
            file.seek(0)
            data = file.read(TEXT_LIMIT_BYTES + 1)
    except FileNotFoundError as error:
        raise UserError(f"{str(path)!r} does not exist: check the path of the exported chat.") from error
    except OSError as error:
        raise UserError(f"{str(path)!r} cannot be read ({error.strerror}): check its permissions.") from error
    return OpenedExport(text=_decode(data, str(path)), stem=path.stem, media=FolderMedia(path.parent))


@dataclass(frozen=True)
class FolderMedia:
    """Media beside the .txt: regular files directly in its folder, no links."""

    folder: Path

    def read(self, filename: str) -> bytes | None:
        """See `Media.read`."""
        name = _base_name(filename)
        for form in dict.fromkeys((name, unicodedata.normalize("NFC", name), unicodedata.normalize("NFD", name))):
            try:
                status = (self.folder / form).lstat()
                if stat.S_ISREG(status.st_mode) and status.st_size <= MEDIA_LIMIT_BYTES:
                    return (self.folder / form).read_bytes()
            except (OSError, ValueError):
                continue
        return None


@dataclass(frozen=True)
class ZipMedia:
    """Media inside the zip, which is opened at the first read and then stays open."""

    path: Path
    entries: dict[str, zipfile.ZipInfo] = field(repr=False)
    """By composed base name."""

    @cached_property
    def _zip(self) -> zipfile.ZipFile:
        return zipfile.ZipFile(self.path)

    def read(self, filename: str) -> bytes | None:
        """See `Media.read`."""
        entry = self.entries.get(unicodedata.normalize("NFC", _base_name(filename)))
        if entry is None or entry.flag_bits & 1 or entry.compress_type not in _PACKINGS:
            return None
        try:
            data = _read_bounded(self._zip, entry, MEDIA_LIMIT_BYTES)
        except (*_BROKEN_ZIP, OSError):
            return None
        return data if len(data) <= MEDIA_LIMIT_BYTES else None


def _open_zip(path: Path, file: BinaryIO) -> OpenedExport:
    name = str(path)
    if _directory_bytes(file) > DIRECTORY_LIMIT_BYTES:
        raise UserError(f"{name!r} lists too many files for a chat: {_HOW}.")
    try:
        with zipfile.ZipFile(file) as archive:
            entries = [entry for entry in archive.infolist() if not entry.filename.endswith("/")]
            _check_sizes(entries, name)
            chat = _find_chat(entries, path)
            data = _read_bounded(archive, chat, TEXT_LIMIT_BYTES)
    except _BROKEN_ZIP as error:
        raise UserError(f"{name!r} is damaged or incomplete: copy it again, or export the chat again.") from error
    text = _decode(data, f"{name}: {_entry_name(chat)}")
    stem = path.stem if PurePosixPath(_entry_name(chat)).stem == "_chat" else PurePosixPath(_entry_name(chat)).stem
    by_name: dict[str, zipfile.ZipInfo] = {}
    for entry in entries:
        if not _is_clutter(_entry_name(entry)):
            by_name.setdefault(unicodedata.normalize("NFC", _base_name(_entry_name(entry))), entry)
    return OpenedExport(text=text, stem=stem, media=ZipMedia(path, by_name))


def _directory_bytes(file: BinaryIO) -> int:
    """The size of the table of contents that the zip's end record states (APPNOTE.TXT 4.3.16, 4.3.14 for zip64)."""
    size = file.seek(0, 2)
    file.seek(max(0, size - 65_557))  # The record (22 bytes) and the longest comment after it.
    tail = file.read(65_557)
    at = tail.rfind(b"PK\x05\x06")
    declared = int.from_bytes(tail[at + 12 : at + 16], "little") if at >= 0 else 0
    locator = tail[at - 20 : at] if at >= 20 else b""
    if locator.startswith(b"PK\x06\x07"):
        position = int.from_bytes(locator[8:16], "little")
        file.seek(min(position, size))
        declared = int.from_bytes(file.read(56)[40:48], "little")
    file.seek(0)
    return declared


def _check_sizes(entries: list[zipfile.ZipInfo], name: str) -> None:
    if len(entries) > ENTRIES_LIMIT:
        raise UserError(f"{name!r} holds {len(entries)} files, more than an exported chat can have: {_HOW}.")
    if sum(entry.file_size for entry in entries) > TOTAL_LIMIT_BYTES:
        raise UserError(
            f"{name!r} would unpack to more than {TOTAL_LIMIT_BYTES // MIB} MiB: export the chat without media."
        )
    for entry in entries:
        if entry.file_size > max(10 * MIB, RATIO_LIMIT * entry.compress_size):
            raise UserError(f"{name!r} is packed too tightly to be a chat (a zip bomb?): {_HOW}.")


def _find_chat(entries: list[zipfile.ZipInfo], path: Path) -> zipfile.ZipInfo:
    names = {_entry_name(entry): entry for entry in entries if not _is_clutter(_entry_name(entry))}
    texts = [name for name in names if name.lower().endswith(".txt")]
    if not texts:
        inner = next((name for name in names if name.lower().endswith(".zip")), None)
        if inner is not None:
            raise UserError(f"{str(path)!r} holds another zip ({inner!r}): unpack it and give the inner one.")
        raise UserError(f"{str(path)!r} holds no .txt with the chat: {_HOW}.")
    best = min(texts, key=lambda name: (_unlikelihood(name, path.stem), name.count("/"), len(name), name))
    if len(texts) > 1 and _unlikelihood(best, path.stem) == len(_LIKELY) + 1:
        raise UserError(f"{str(path)!r} holds {len(texts)} texts: unpack it and give the .txt with the chat.")
    chat = names[best]
    if chat.flag_bits & 1:
        raise UserError(f"{str(path)!r} is protected by a password: unpack it and give the .txt with the chat.")
    if chat.compress_type not in _PACKINGS:
        raise UserError(f"{str(path)!r} is packed in an unusual way: unpack it and give the .txt with the chat.")
    if chat.file_size > TEXT_LIMIT_BYTES:
        raise UserError(f"The chat in {str(path)!r} is larger than {TEXT_LIMIT_BYTES // MIB} MiB: export it again.")
    return chat


_LIKELY = (re.compile(r"_chat"), re.compile(r".*whatsapp.*"), re.compile(r".*(?:chat|conversa).*"))


def _unlikelihood(name: str, zip_stem: str) -> int:
    stem = PurePosixPath(name).stem.casefold()
    if stem == zip_stem.casefold():
        return 1
    return next((rank for rank, likely in enumerate(_LIKELY, 1) if likely.fullmatch(stem)), len(_LIKELY) + 1)


def _is_clutter(name: str) -> bool:
    return name.startswith("__MACOSX/") or _base_name(name).startswith("._")


def _entry_name(entry: zipfile.ZipInfo) -> str:
    """The name as meant: some Android zips hold UTF-8 without the flag that says so, which is read as code page 437."""
    if entry.flag_bits & 0x800:
        return entry.filename
    try:
        return entry.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return entry.filename


def _base_name(name: str) -> str:
    return name.replace("\\", "/").rpartition("/")[2]


def _read_bounded(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, limit: int) -> bytes:
    """At most `limit` + 1 bytes, whatever size the entry declares."""
    with archive.open(entry) as member:
        return member.read(limit + 1)


def _decode(data: bytes, name: str) -> str:
    if len(data) > TEXT_LIMIT_BYTES:
        raise UserError(f"{name!r} is larger than {TEXT_LIMIT_BYTES // MIB} MiB, too large for a chat: {_HOW}.")
    if not data.strip():
        raise UserError(f"{name!r} is empty: {_HOW}.")
    utf16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        # An incremental decoder leaves out half a character at the end, where a copy was cut off.
        text = codecs.getincrementaldecoder("utf-16" if utf16 else "utf-8-sig")().decode(data)
    except UnicodeDecodeError as error:
        message = f"{name!r} is not UTF-8 text (byte {error.start}): give the file as WhatsApp made it, not saved anew."
        raise UserError(message) from error
    if "\0" in text:
        raise UserError(f"{name!r} is not a text: {_HOW}.")
    return text

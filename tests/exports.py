"""Writes chats the way WhatsApp's "Export chat" does: iOS and Android, in three languages, on both clocks.

Its words are kept apart from those of the parser on purpose, so that a round trip proves something.
"""

import struct
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

LRM = "\u200e"
NARROW = "\u202f"
HARD = "\u00a0"


@dataclass(frozen=True, kw_only=True)
class Said:
    """What one person said, or (without an author) what WhatsApp noted."""

    at: datetime
    author: str | None
    text: str = ""
    media: str | None = None
    filename: str | None = None
    edited: bool = False
    deleted: bool = False


@dataclass(frozen=True, kw_only=True)
class Form:
    """A kind of phone: `ios` or `android`, `es`, `en` or `pt`, 12 or 24 hours."""

    platform: str
    language: str
    hours: int

    @property
    def date_order(self) -> str:
        return "MDY" if self.language == "en" and self.hours == 12 else "DMY"


FORMS = tuple(
    Form(platform=platform, language=language, hours=hours)
    for platform in ("ios", "android")
    for language in ("es", "en", "pt")
    for hours in (12, 24)
)

_ENCRYPTED = {
    "es": "Los mensajes y las llamadas están cifrados de extremo a extremo. Solo las personas en este chat pueden"
    " leerlos, escucharlos o compartirlos.",
    "en": "Messages and calls are end-to-end encrypted. Only people in this chat can read, listen to, or share them.",
    "pt": "As mensagens e ligações são protegidas com a criptografia de ponta a ponta. Somente as pessoas que fazem"
    " parte da conversa podem ler, ouvir e compartilhar esse conteúdo.",
}
_OMITTED_ON_ANDROID = {"es": "<Multimedia omitido>", "en": "<Media omitted>", "pt": "<Mídia oculta>"}
_OMITTED_ON_IOS = {
    "es": {
        "image": "imagen omitida", "video": "video omitido", "audio": "audio omitido", "document": "documento omitido",
        "sticker": "sticker omitido", "contact": "Tarjeta de contacto omitida",
    },
    "en": {
        "image": "image omitted", "video": "video omitted", "audio": "audio omitted", "document": "document omitted",
        "sticker": "sticker omitted", "contact": "Contact card omitted",
    },
    "pt": {
        "image": "imagem ocultada", "video": "vídeo omitido", "audio": "áudio ocultado",
        "document": "documento omitido", "sticker": "figurinha omitida", "contact": "Cartão do contato omitido",
    },
}  # fmt: skip
_ATTACHED_ON_ANDROID = {"es": "archivo adjunto", "en": "file attached", "pt": "arquivo anexado"}
_ATTACHED_ON_IOS = {"es": "adjunto", "en": "attached", "pt": "anexado"}
_DELETED = {"es": "Se eliminó este mensaje.", "en": "This message was deleted", "pt": "Mensagem apagada"}
_EDITED = {"es": "<Se editó este mensaje.>", "en": "<This message was edited>", "pt": "<Mensagem editada>"}


def render(messages: Sequence[Said], form: Form, *, title: str = "Soporte Caribe") -> str:
    """The text of the export; it begins with the encryption notice, at the time of the first message."""
    first = Said(at=messages[0].at, author=None, text=_ENCRYPTED[form.language])
    end = "\r\n" if form.platform == "ios" else "\n"
    return "".join(_line(message, form, title) + end for message in (first, *messages))


def _line(message: Said, form: Form, title: str) -> str:
    body = _body(message, form)
    if form.platform == "android":
        author = "" if message.author is None else f"{message.author}: "
        return f"{_stamp(message.at, form)} - {author}{body}"
    if message.author is None:
        return f"[{_stamp(message.at, form)}] {title}: {LRM}{body}"
    mark = LRM if body.startswith(LRM) else ""
    return f"{mark}[{_stamp(message.at, form)}] {message.author}: {body}"


def _stamp(at: datetime, form: Form) -> str:
    comma = " " if (form.platform, form.language) == ("android", "pt") else ", "
    return f"{_date(at, form)}{comma}{_clock(at, form)}"


def _date(at: datetime, form: Form) -> str:
    if form.date_order == "MDY":
        return f"{at.month}/{at.day}/{at:%y}"
    if form.language == "es":
        return f"{at.day}/{at.month}/{at:%y}"
    return f"{at:%d/%m/%Y}"


def _clock(at: datetime, form: Form) -> str:
    seconds = f":{at:%S}" if form.platform == "ios" else ""
    if form.hours == 24:
        return f"{at:%H:%M}{seconds}" if form.language != "es" else f"{at.hour}:{at:%M}{seconds}"
    half = {"es": f"a.{HARD}m.", "en": "AM", "pt": "AM"}[form.language]
    if at.hour >= 12:
        half = half.replace("a", "p").replace("A", "P")
    return f"{at.hour % 12 or 12}:{at:%M}{seconds}{NARROW}{half}"


def _body(message: Said, form: Form) -> str:
    if message.deleted:
        return (LRM if form.platform == "ios" else "") + _DELETED[form.language]
    body = message.text
    if message.media is not None:
        body = _media_on_ios(message, form) if form.platform == "ios" else _media_on_android(message, form)
    if message.edited:
        body += f" {LRM if form.platform == 'ios' else ''}{_EDITED[form.language]}"
    return body


def _media_on_android(message: Said, form: Form) -> str:
    line = _OMITTED_ON_ANDROID[form.language]
    if message.filename is not None:
        line = f"{LRM}{message.filename} ({_ATTACHED_ON_ANDROID[form.language]})"
    return f"{line}\n{message.text}" if message.text else line


def _media_on_ios(message: Said, form: Form) -> str:
    assert message.media is not None
    marker = _OMITTED_ON_IOS[form.language][message.media]
    if message.filename is not None:
        marker = f"<{_ATTACHED_ON_IOS[form.language]}: {message.filename}>"
    return f"{message.text} {LRM}{marker}" if message.text else f"{LRM}{marker}"


def write_zip(path: Path, files: Mapping[str, bytes]) -> Path:
    """A zip with these files, the same bytes each time."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 31, 9, 0, 0)), data, zipfile.ZIP_DEFLATED)
    return path


def tiny_png(grey: int) -> bytes:
    """A PNG of one pixel (0 to 255)."""
    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes([0, grey]))), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def tiny_jpeg(level: int) -> bytes:
    """A baseline JPEG of one grey pixel; `level` (64 to 127) sets how far above middle grey it is."""
    tables = b"\xff\xdb\x00\x43\x00" + b"\x01" * 64
    frame = b"\xff\xc0\x00\x0b\x08\x00\x01\x00\x01\x01\x01\x11\x00"
    one_code = b"\x01" + b"\x00" * 15
    huffman = b"\xff\xc4\x00\x14\x00" + one_code + b"\x07" + b"\xff\xc4\x00\x14\x10" + one_code + b"\x00"
    scan = b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00"
    # One bit for the only DC code (7 bits follow), the 7 bits, one bit for the end of the block, padding of ones.
    bits = f"0{level:07b}0".ljust(16, "1")
    data = int(bits, 2).to_bytes(2, "big").replace(b"\xff", b"\xff\x00")
    return b"\xff\xd8" + tables + frame + huffman + scan + data + b"\xff\xd9"

"""Whole chats (tests/data/exports) are read as a person reads them; large ones in time."""

# ruff: noqa: DTZ001  (An export holds the local time of a phone, without a zone.)

import time
from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from tests.exports import FORMS, Form, Said, render, tiny_jpeg, tiny_png
from tests.unit.export.parsing import parse

from supportbot.export.chat import ExportedChat, ExportedMessage, read_chat

EXPORTS = Path(__file__).parents[2] / "data" / "exports"


def _at_line(chat: ExportedChat, line: int) -> ExportedMessage:
    return next(message for message in chat.messages if message.line == line)


def _counts(chat: ExportedChat) -> dict[str, int]:
    return {
        "messages": len(chat.messages),
        "system": sum(message.system for message in chat.messages),
        "authors": len({message.author for message in chat.messages} - {None}),
        "media": sum(message.media is not None for message in chat.messages),
        "edited": sum(message.edited for message in chat.messages),
        "deleted": sum(message.deleted for message in chat.messages),
        "mentions": sum(bool(message.mentions) for message in chat.messages),
    }


def test_a_spanish_android_chat() -> None:
    chat = read_chat(EXPORTS / "Chat de WhatsApp con Soporte Tiendas Caribe.txt")
    assert (chat.title, chat.form, chat.date_order) == ("Soporte Tiendas Caribe", "android", "DMY")
    assert _counts(chat) == {
        "messages": 74, "system": 6, "authors": 11, "media": 17, "edited": 3, "deleted": 1, "mentions": 4,
    }  # fmt: skip
    assert _at_line(chat, 75) == ExportedMessage(
        line=75,
        at=datetime(2026, 2, 3, 11, 26),
        author="Lupita 909",
        text="ver correo del 2/2\n31/1/26: se mandó evidencia\n2026-01-31 09:05:33 ERROR timbrado 502",
        media=None,
        filename=None,
        edited=False,
        deleted=False,
        system=False,
        mentions=(),
    )
    assert _at_line(chat, 73).text.endswith('a "Soporte: Tiendas Caribe"')


def test_an_english_ios_chat_with_media() -> None:
    chat = read_chat(EXPORTS / "WhatsApp Chat - Clinic Front Desks.zip")
    assert (chat.title, chat.form, chat.date_order) == ("Clinic Front Desks", "ios", "MDY")
    assert _counts(chat) == {
        "messages": 37, "system": 5, "authors": 6, "media": 8, "edited": 1, "deleted": 1, "mentions": 1,
    }  # fmt: skip
    shown = [(message.media, message.filename, message.text) for message in chat.messages if message.filename]
    assert shown == [
        ("image", "00000005-PHOTO-2026-01-31-08-10-05.jpg", ""),
        ("image", "00000007-PHOTO-2026-01-31-08-11-02.png", ""),
        ("document", "00000020-Label printers.pdf", ""),
        ("image", "00000030-PHOTO-2026-02-01-08-06-00.jpg", "kiosk 118 right now"),
    ]
    data = [chat.open_media(filename) for _, filename, _ in shown]
    assert data[0] == tiny_jpeg(70)
    assert data[1] == tiny_png(40)
    assert (data[2] or b"").startswith(b"%PDF-")
    assert data[3] == tiny_jpeg(110)


def test_a_folder_with_the_unpacked_zip_gives_the_same() -> None:
    zipped = read_chat(EXPORTS / "WhatsApp Chat - Clinic Front Desks.zip")
    unpacked = read_chat(EXPORTS / "clinic" / "_chat.txt")
    assert unpacked == zipped
    for message in zipped.messages:
        if message.filename is not None:
            assert unpacked.open_media(message.filename) == zipped.open_media(message.filename) is not None


def test_a_portuguese_android_chat() -> None:
    chat = read_chat(EXPORTS / "Conversa do WhatsApp com Lojas Litoral.txt")
    assert (chat.title, chat.form, chat.date_order) == ("Lojas Litoral", "android", "DMY")
    assert _counts(chat) == {
        "messages": 34, "system": 5, "authors": 6, "media": 5, "edited": 1, "deleted": 1, "mentions": 1,
    }  # fmt: skip
    assert Counter(message.media for message in chat.messages if message.media) == {
        "unknown": 3,
        "document": 1,
        "image": 1,
    }


def test_a_chat_in_a_language_that_is_not_known() -> None:
    chat = read_chat(EXPORTS / "dotted.txt")
    assert [(message.author, message.text, message.media) for message in chat.messages] == [
        (None, "Nachrichten und Anrufe sind Ende-zu-Ende-verschlüsselt.", None),
        ("Jonas", "Guten Morgen", None),
        ("Frauke 12", "Kasse 12 druckt nicht\nzweite Zeile", None),
        ("Frauke 12", "Foto vom Drucker", "image"),
        ("Jonas", "erledigt", None),
    ]


def test_a_chat_with_the_year_first() -> None:
    chat = read_chat(EXPORTS / "year_first.txt")
    assert (chat.title, chat.form, chat.date_order) == (None, "ios", "YMD")
    assert [message.at for message in chat.messages] == [
        datetime(2026, 1, 31, 21, 5, 33),
        datetime(2026, 1, 31, 21, 6, 1),
        datetime(2026, 2, 1, 0, 0, 9),
    ]


@pytest.mark.parametrize("path", sorted(EXPORTS.glob("*.*")), ids=lambda path: path.name)
def test_time_never_goes_back(path: Path) -> None:
    times = [message.at for message in read_chat(path).messages]
    assert all(before <= after for before, after in pairwise(times))


def _many(count: int) -> list[Said]:
    """A busy group: one message in three is a photo, some mention somebody."""
    start = datetime(2025, 3, 1, 8)
    texts = ("la 909 no puede recepcionar, su apoyo", "@Persona 7 ¿alguna novedad?\nsigo en espera", "gracias 🙏")
    return [
        Said(
            at=start + timedelta(minutes=7 * number),
            author=f"Persona {number % 59}",
            text="" if number % 3 == 0 else texts[number // 3 % 3],
            media="image" if number % 3 == 0 else None,
            filename=f"IMG-20250301-WA{number:05}.jpg" if number % 6 == 0 else None,
            edited=number % 60 == 1,
        )
        for number in range(count)
    ]


@pytest.mark.parametrize("form", [FORMS[0], FORMS[-1]], ids=["ios", "android"])
def test_fifty_thousand_messages_take_seconds(form: Form) -> None:
    text = render(_many(50_000), form)
    started = time.process_time()
    chat = parse(text)
    assert time.process_time() - started < 3
    assert len(chat.messages) == 50_001


def test_one_huge_message_takes_no_longer_than_many_small_ones() -> None:
    """Nothing in the parser grows faster than the text, whatever the text looks like."""
    patterns = ("<", " ", "@", ": ", "\u200e", "<adjunto: ", "a\n", "omitido ", "[1/1/26, ", "•", "@\u2068", "\n")
    for pattern in patterns:
        text = "31/1/26, 9:05 - Ana: " + pattern * (2_000_000 // len(pattern))
        started = time.process_time()
        assert parse(text).messages[0].at == datetime(2026, 1, 31, 9, 5)
        assert time.process_time() - started < 3, ascii(pattern)

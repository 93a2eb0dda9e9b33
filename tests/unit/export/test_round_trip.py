"""What is written as WhatsApp writes it is read as it was said, whatever was said."""

# ruff: noqa: DTZ001  (An export holds the local time of a phone, without a zone.)

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.exports import FORMS, Form, Said, render
from tests.unit.export.parsing import parse

from supportbot.export.chat import ExportedMessage
from supportbot.export.lines import find_headers, split_lines
from supportbot.export.marks import DIRECTION

_AUTHORS = ("Ana", "Luis Pérez", "~ Nadia", "+52 998 555 0101", "Ana 🦊 305", "Óscar (IT) - Caribe", "🙏", "a:b")
_FILES = {
    "image": "00000012-PHOTO-2026-01-31-09-05-33.jpg",
    "video": "VID-20260131-WA0002.mp4",
    "audio": "PTT-20260131-WA0002.opus",
    "document": "Ventas de enero (2).xlsx",
    "sticker": "STK-20260131-WA0002.webp",
    "contact": "Ana Pérez.vcf",
}
_LETTERS = st.characters(exclude_categories=("Cs", "Cc"), exclude_characters=DIRECTION)


def _is_plain(text: str) -> bool:
    """No line looks like a message's first, and nothing is WhatsApp's own (short words and brackets could be)."""
    return not find_headers(split_lines(text)) and text.casefold() != "null" and "@" not in text


_TEXTS = (
    st.lists(st.text(_LETTERS, max_size=40), min_size=1, max_size=4).map("\n".join).map(str.strip).filter(_is_plain)
)
_SAID = st.builds(
    Said,
    at=st.just(datetime(2026, 1, 1)),
    author=st.sampled_from(_AUTHORS),
    text=_TEXTS,
    edited=st.booleans(),
)
_SHOWN = st.sampled_from(sorted(_FILES)).flatmap(
    lambda kind: st.builds(
        Said,
        at=st.just(datetime(2026, 1, 1)),
        author=st.sampled_from(_AUTHORS),
        text=st.sampled_from(("", "la caja 2", "¿cuál?\nla 909: otra vez")),
        media=st.just(kind),
        filename=st.sampled_from((None, _FILES[kind])),
    )
)
_DELETED = st.builds(Said, at=st.just(datetime(2026, 1, 1)), author=st.sampled_from(_AUTHORS), deleted=st.just(True))
_GAPS = st.integers(0, 100 * 3600)


@st.composite
def _conversations(draw: st.DrawFn) -> list[Said]:
    at = draw(st.datetimes(datetime(2014, 1, 1), datetime(2026, 12, 31))).replace(microsecond=0)
    said = []
    for message in draw(st.lists(_SAID | _SHOWN | _DELETED, min_size=1, max_size=12)):
        at += timedelta(seconds=draw(_GAPS))
        said.append(Said(**(vars(message) | {"at": at})))
    return said


def _expected(said: Said, form: Form) -> tuple[object, ...]:
    at = said.at if form.platform == "ios" else said.at.replace(second=0)
    hidden = form.platform == "android" and said.filename is None and said.media is not None
    media = "unknown" if hidden else said.media
    return (at, said.author, said.text, media, said.filename, said.edited, said.deleted)


def _read(message: ExportedMessage) -> tuple[object, ...]:
    return (
        message.at,
        message.author,
        message.text,
        message.media,
        message.filename,
        message.edited,
        message.deleted,
    )


@pytest.mark.parametrize("form", FORMS, ids=lambda form: f"{form.platform}-{form.language}-{form.hours}")
@given(conversation=_conversations())
def test_a_conversation_comes_back(form: Form, conversation: list[Said]) -> None:
    # File names would tell the date; these are of another day, as forwarded ones are, so they must not mislead either.
    chat = parse(render(conversation, form))
    notice, *messages = chat.messages
    assert (chat.form, notice.system) == (form.platform, True)
    assert [_read(message) for message in messages] == [_expected(said, form) for said in conversation]


@given(text=st.text(max_size=300), form=st.sampled_from(FORMS))
def test_any_text_is_one_message_or_more(text: str, form: Form) -> None:
    """Nothing that somebody writes, marks and line ends included, makes the parser fail or lose the line after it."""
    said = [
        Said(at=datetime(2026, 1, 30, 9, minute), author="Ana", text=body) for minute, body in ((5, text), (6, "fin"))
    ]
    last = parse(render(said, form)).messages[-1]
    assert (last.author, last.text) == ("Ana", "fin")

from datetime import UTC, datetime

import pytest
from tests.unit.replay.exported import exported

from supportbot.cli.replay.events import Converter
from supportbot.cli.replay.people import Cast
from supportbot.contracts import Media, MessageReceived
from supportbot.export.chat import ExportedMessage
from supportbot.ids import make_group_ref, make_message_ref

KEY = bytes(32)
AT = datetime(2026, 2, 2, 15, 0, tzinfo=UTC)
CAST = Cast(KEY, ["Ana 909", "Óscar", "+52 998 555 0101"], frozenset({"Óscar"}))
NOT_THERE = "not in the export"


def convert(message: ExportedMessage) -> MessageReceived:
    return Converter(KEY, "replay", CAST).event(message, AT)


def expected(text: str = "", *, line: int = 1, **more: object) -> MessageReceived:
    return MessageReceived.model_validate(
        {
            "message_ref": make_message_ref(KEY, chat="replay", sender="Ana 909", message_id=str(line)),
            "group_ref": make_group_ref(KEY, "replay"),
            "sender": CAST.person("Ana 909"),
            "sent_at": AT,
            "received_at": AT,
            "text": text,
            **more,
        }
    )


CASES = {
    "text": (exported("la 909 no cobra", line=7), expected("la 909 no cobra", line=7)),
    "edited": (exported("como quedó", edited=True), expected("como quedó")),
    "deleted": (exported(deleted=True), expected(note="deleted")),
    "photo with caption": (
        exported("la pantalla", media="image", filename="IMG-20260202-WA0001.jpg"),
        expected(
            "la pantalla",
            media=Media(kind="image", filename="IMG-20260202-WA0001.jpg", missing="not read by a replay"),
        ),
    ),
    "sticker": (exported(media="sticker"), expected(media=Media(kind="sticker", missing=NOT_THERE))),
    "android without media": (exported(media="unknown"), expected(media=Media(kind="image", missing=NOT_THERE))),
    "contact": (exported(media="contact"), expected(note="contact")),
    "location, whose coordinates are no store": (
        exported("https://maps.google.com/?q=21.16,-86.85", media="location"),
        expected(note="location"),
    ),
    "mention, whose number is no store": (
        exported("@Ana 909 y @Óscar vean", mentions=("Ana 909", "Óscar")),
        expected("@Ana_909 y @Óscar vean", mentions=(CAST.person("Ana 909"), CAST.person("Óscar"))),
    ),
    "mention of a number": (
        exported("@529985550101 te toca", mentions=("529985550101",)),
        expected("@529985550101 te toca", mentions=(CAST.person("+52 998 555 0101"),)),
    ),
    "mention of nobody": (exported("@todos", mentions=("todos",)), expected("@todos")),
}


@pytest.mark.parametrize("case", CASES)
def test_an_exported_message_as_an_event(case: str) -> None:
    message, event = CASES[case]
    assert convert(message) == event


def test_notices_are_no_messages() -> None:
    with pytest.raises(ValueError, match="line 3 is a notice"):
        convert(exported("Ana salió del grupo", line=3, author=None))

"""A replay's lines as rows to label."""

from datetime import UTC, datetime
from typing import Any

from tests.unit.replay.exported import exported

from supportbot.cli.evaluate.propose import make_rows
from supportbot.cli.replay.people import Staff
from supportbot.cli.replay.result import SYSTEM, Line
from supportbot.evaluation.conversation import Row
from supportbot.evaluation.faults import find_faults

NUMBER = "+52 998 555 0101"
AT = datetime(2026, 2, 2, 15, 0, 0, 999, tzinfo=UTC)


def line(number: int, kind: str, ticket: str | None = None, *, text: str = "hola", **more: Any) -> Line:
    message = {name: more.pop(name) for name in ("author", "media", "filename", "mentions", "deleted") if name in more}
    return Line(message=exported(text, line=number, **message), at=AT, kind=kind, ticket=ticket, **more)


LINES = (
    line(1, SYSTEM, author=None),
    line(3, "evidence", "#2", text="", media="document", filename="Pedido.pdf"),
    line(5, "incident", "#2", category="billing", priority="High", sites=("909",)),
    line(6, "incident", "#1", category="access"),
    line(7, "staff", "#2", author="Berta", text=f"@Ana 909 y @{NUMBER} ¿folio?", mentions=("Ana 909", NUMBER)),
    line(8, "staff", author="Berta"),
    line(9, "incident"),
    line(10, "evidence", text="", media="image"),
    line(11, "chatter", text="", deleted=True),
)  # fmt: skip


def rows() -> list[Row]:
    return make_rows(LINES, Staff(frozenset({"Berta"})))


def test_kinds_become_roles_and_tickets_letters() -> None:
    assert [(row.id, row.role.value, row.incidents) for row in rows()] == [
        ("L3", "evidence", ("A",)),
        ("L5", "open", ("A",)),
        ("L6", "open", ("B",)),
        ("L7", "agent", ("A",)),
        ("L8", "agent", ()),
        ("L9", "chatter", ()),
        ("L10", "chatter", ()),
        ("L11", "chatter", ()),
    ]
    assert find_faults(rows()) == []


def test_a_row_has_what_the_pipeline_saw() -> None:
    photo, opening, _, answer, *_, deleted = rows()
    assert (photo.media, photo.filename, photo.at.microsecond) == ("document", "Pedido.pdf", 0)
    assert (opening.category, opening.priority, opening.sites) == ("billing", "High", ("909",))
    assert answer.staff
    assert answer.mentions == ("Ana 909", "+529985550101")
    assert answer.text == "@Ana_909 y @+52_998_555_0101 ¿folio?"
    assert deleted.note == "deleted"

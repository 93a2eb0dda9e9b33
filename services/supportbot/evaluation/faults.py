"""What can be wrong with labels although every line is well formed. Pure."""

from collections.abc import Collection, Iterable, Sequence
from itertools import pairwise

from supportbot.evaluation.conversation import Role, Row

_IN_NO_INCIDENT = frozenset({Role.EVIDENCE, Role.FOLLOW_UP, Role.AGENT, Role.RESOLVED})
"""Roles that may go without an incident: then they are about one from before."""


def find_faults(rows: Sequence[Row], categories: Collection[str] = ()) -> list[str]:
    """All faults, each with the id of its message; none when the labels hold together.

    Args:
        rows: In their order.
        categories: The names that are allowed; all when there are none.
    """
    return [*_order_faults(rows), *_reference_faults(rows), *_role_faults(rows), *_field_faults(rows, categories)]


def _order_faults(rows: Sequence[Row]) -> Iterable[str]:
    if all(row.id.startswith("L") for row in rows):
        return  # An export has the order in which the phone got the messages, whatever their times.
    for before, after in pairwise(rows):
        if after.at < before.at:
            yield f"{after.id}: is from {after.at.isoformat()}, which is before the message above it"


def _reference_faults(rows: Sequence[Row]) -> Iterable[str]:
    seen: set[str] = set()
    authors = {row.author for row in rows}
    staff: dict[str, bool] = {}
    for row in rows:
        if row.id in seen:
            yield f"{row.id}: an earlier message has the same id"
        if row.quoted is not None and row.quoted not in seen:
            yield f"{row.id}: quotes {row.quoted!r}, which is no earlier message"
        if row.staff != staff.setdefault(row.author, row.staff):
            yield f"{row.id}: {row.author!r} is staff on some messages and not on others"
        for name in row.affected or ():
            if name not in authors:
                yield f"{row.id}: {name!r} is affected and wrote nothing"
        seen.add(row.id)


def _role_faults(rows: Sequence[Row]) -> Iterable[str]:
    opened = {row.incidents[0] for row in rows if row.role is Role.OPEN and row.incidents}
    known: set[str] = set()
    for row in rows:
        if row.role is Role.CHATTER and row.incidents:
            yield f"{row.id}: is chatter and belongs to {row.incidents[0]!r}"
        elif not row.incidents and row.role is not Role.CHATTER and row.role not in _IN_NO_INCIDENT:
            yield f"{row.id}: opens an incident and names none"
        elif not row.text.strip() and row.media is None and row.note is None:
            yield f"{row.id}: has neither text nor attachment"
        for name in row.incidents:
            if name not in known and name in opened and row.role not in {Role.OPEN, Role.EVIDENCE}:
                yield f"{row.id}: belongs to {name!r} as {row.role.value} before that is opened"
            known.add(name)


def _field_faults(rows: Sequence[Row], categories: Collection[str]) -> Iterable[str]:
    for row in rows:
        given = [name for name in ("category", "priority", "sites", "affected") if getattr(row, name) is not None]
        if given and row.role is not Role.OPEN:
            yield f"{row.id}: has a {given[0]}, which belongs on the message that opens the incident"
        if row.category is not None and categories and row.category not in categories:
            yield f"{row.id}: there is no category {row.category!r}; there are {', '.join(categories)}"

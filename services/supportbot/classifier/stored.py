"""The value that a group's memory is stored as: a snapshot, and behind it what each message changed. Pure.

One message changes a few of a memory's hundreds of parts, and most of a message's time went into writing out and
compressing all of them. The value is written as a whole all the same, so a memory is stored entirely or not at all.
"""

import json
import zlib
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel
from pydantic_core import to_json

from supportbot.classifier.memory import Memory, dump_memory, load_memory

MAX_WAITING_CHARS = 3_000
"""Of each message that waits, so that all of them together fit the memory and, once they join, one event."""
MAX_VALUE_BYTES = 900_000
"""A value of the bucket has at most 1 MB; a larger memory would make every message of the group a dead letter."""
SPARE_BYTES = 20_000
"""Changes may always have so much; beyond, a third of the snapshot (both before they are compressed)."""

_Order = list[list[int] | None]


@dataclass(frozen=True)
class Stored:
    """A memory, and the value that holds it."""

    memory: Memory = field(default_factory=Memory)
    value: bytes = b""
    """Zlib streams in a row: the snapshot, then one of changes per message. Empty when the memory was just read."""
    room: int = 0
    """Bytes that further changes may have."""

    @classmethod
    def read(cls, value: bytes | None) -> "Stored":
        """The memory of a value; a new one for None.

        Raises:
            ValueError: The value is not what `after` has made.
        """
        if value is None:
            return cls()
        snapshot, *changes = _inflate(value)
        if not changes:
            return cls(load_memory(snapshot))
        document = json.loads(snapshot)
        for one in changes:
            _apply(document, json.loads(one))
        return cls(load_memory(json.dumps(document).encode()))

    def after(self, memory: Memory) -> "Stored":
        """What to store once this memory has become `memory`; only a group that floods loses anything of it."""
        memory = _shorten_waiting(memory)
        if self.room > 0:
            changes = _changes(self.memory, memory)
            value = self.value + zlib.compress(changes, level=1)
            if len(changes) <= self.room and len(value) <= MAX_VALUE_BYTES:
                return Stored(memory, value, self.room - len(changes))
        memory, document = _fit(memory)
        return Stored(memory, zlib.compress(document, level=1), max(SPARE_BYTES, len(document) // 3))


def _shorten_waiting(memory: Memory) -> Memory:
    if all(len(one.text) <= MAX_WAITING_CHARS for one in memory.pending):
        return memory
    waiting = tuple(
        one.model_copy(update={"text": one.text[: MAX_WAITING_CHARS - 1] + "…"})
        if len(one.text) > MAX_WAITING_CHARS
        else one
        for one in memory.pending
    )
    return memory.model_copy(update={"pending": waiting})


def _fit(memory: Memory) -> tuple[Memory, bytes]:
    """The memory in a size that its bucket takes, and its document."""
    document = dump_memory(memory)
    for less in (
        {"settled": memory.settled[-1:]},
        {"recent": memory.recent[-40:], "incidents": memory.incidents[-30:]},
        {"pending": ()},
    ):
        if len(document) <= MAX_VALUE_BYTES:
            break
        memory = memory.model_copy(update=less)
        document = dump_memory(memory)
    return memory, document


def _inflate(value: bytes) -> list[bytes]:
    documents = []
    while value:
        stream = zlib.decompressobj()
        try:
            documents.append(stream.decompress(value))
        except zlib.error as exc:
            raise ValueError(f"the stored memory is damaged: {exc}") from exc
        if not stream.eof:
            raise ValueError("the stored memory is cut off")
        value = stream.unused_data
    return documents


def _changes(before: Memory, after: Memory) -> bytes:
    """What to do to the document of one memory so that it becomes that of another, as JSON.

    Parts are frozen, so a part that is the same object is the same part; whatever else they are, they are written out.
    """
    changes = []
    for name in Memory.model_fields:
        old, new = getattr(before, name), getattr(after, name)
        if old is new:
            continue
        if isinstance(new, tuple):
            change = _tuple_change(old, new)
        elif isinstance(new, dict):
            change = _dict_change(old, new)
        else:
            change = f'{{"is":{_dump(new)}}}'
        changes.append(f'"{name}":{change}')
    return f"{{{','.join(changes)}}}".encode()


def _tuple_change(old: tuple[object, ...], new: tuple[object, ...]) -> str:
    """Runs of places in the old tuple, null for each part that is new, and those parts."""
    places: dict[int, int] = {}
    order: _Order = []
    parts = []
    count, following = len(old), 0
    for one in new:
        # Mostly it is the next one, or the next but one since one has gone.
        if following < count and old[following] is one:
            place = following
        elif following + 1 < count and old[following + 1] is one:
            place = following + 1
        else:
            places = places or {id(part): number for number, part in enumerate(old)}
            place = places.get(id(one), -1)
        if place < 0:
            order.append(None)
            parts.append(_dump(one))
            continue
        if place == following and order and (run := order[-1]) is not None:
            run[1] = place + 1
        else:
            order.append([place, place + 1])
        following = place + 1
    return f'{{"order":{json.dumps(order)},"parts":[{",".join(parts)}]}}'


def _dict_change(old: dict[str, object], new: dict[str, object]) -> str:
    if len(old) == len(new) and list(old) == list(new):
        parts = zip(new, new.values(), old.values(), strict=True)
        changed = {key: one for key, one, known in parts if one is not known}
        return f'{{"gone":[],"put":{_dump(changed)}}}'
    kept = [key for key in old if key in new]
    if list(new) != [*kept, *(key for key in new if key not in old)]:
        return f'{{"is":{_dump(new)}}}'  # The order settles who goes when there are too many.
    nothing = object()
    changed = {key: one for key, one in new.items() if old.get(key, nothing) is not one}
    return f'{{"gone":{json.dumps([key for key in old if key not in new])},"put":{_dump(changed)}}}'


def _dump(part: object) -> str:
    if isinstance(part, BaseModel):
        return part.model_dump_json(exclude_defaults=True)
    if isinstance(part, dict):
        return f"{{{','.join(f'{json.dumps(key)}:{_dump(one)}' for key, one in part.items())}}}"
    return to_json(part).decode()


def _apply(document: dict[str, Any], changes: dict[str, Any]) -> None:
    for name, change in changes.items():
        if "is" in change:
            document[name] = change["is"]
        elif "order" in change:
            old, parts = document.get(name, []), iter(change["parts"])
            document[name] = [
                one for run in change["order"] for one in ([next(parts)] if run is None else old[run[0] : run[1]])
            ]
        else:
            old = document.get(name, {})
            kept = {key: one for key, one in old.items() if key not in change["gone"]}
            document[name] = {**kept, **change["put"]}

"""The demo's conversation, read from `conversation.yaml`."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator


class Speaker(BaseModel):
    """An invented member of the group."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    phone: str
    staff: bool = False


class Line(BaseModel):
    """One thing that somebody does in the group."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    after: float
    """Seconds of conversation time since the line before."""
    speaker: str = Field(alias="from")
    id: str | None = None
    text: str = ""
    photo: str | None = None
    """What the generated picture shows."""
    document: str | None = None
    """File name of the document."""
    voice: bool = False
    sticker: bool = False
    quote: str | None = None
    edit: str | None = None
    delete: str | None = None
    react: str | None = None
    emoji: str = ""


class Script(BaseModel):
    """A group and what happens in it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    people: Mapping[str, Speaker]
    messages: tuple[Line, ...]

    @model_validator(mode="after")
    def _names_exist(self) -> "Script":
        known: set[str] = set()
        for number, line in enumerate(self.messages, 1):
            if line.speaker not in self.people:
                raise ValueError(f"line {number} is by {line.speaker!r}, who is not among the people")
            for target in (line.quote, line.edit, line.delete, line.react):
                if target is not None and target not in known:
                    raise ValueError(f"line {number} refers to {target!r}, which is no earlier message")
            if line.id is not None:
                known.add(line.id)
        return self

    @property
    def staff_phones(self) -> list[str]:
        """E.164 numbers of the people who solve."""
        return [person.phone for person in self.people.values() if person.staff]

    def timed(self, end: datetime) -> list[tuple[datetime, Line]]:
        """The lines with their conversation times, such that the last one is at `end`."""
        total = sum(line.after for line in self.messages)
        at = end - timedelta(seconds=total)
        timed = []
        for line in self.messages:
            at += timedelta(seconds=line.after)
            timed.append((at, line))
        return timed


def load_script() -> Script:
    """The conversation that ships with the demo."""
    text = files(__package__).joinpath("conversation.yaml").read_text(encoding="utf-8")
    data: Any = yaml.safe_load(text)
    return Script.model_validate(data)

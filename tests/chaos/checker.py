"""Judges a bot by what Zoho Desk and the groups show, against what was posted. It knows nothing of the bot.

It imports nothing of the product: its sources are the emulators' own records, read over HTTP as JSON.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import httpx
from tests.chaos.generator import Incident

_NUMBER = re.compile(r"(?<![0-9])[0-9]{8}(?![0-9])")
_PAGE = 2000

Row = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Observed:
    """What the outside world holds."""

    state: Mapping[str, Sequence[Row]]
    """`/_emulator/state` of Zoho Desk: contacts, tickets, comments, attachments."""
    life: Sequence[Row]
    """`/simulator/messages` of the groups, the bot's own messages among them."""

    @cached_property
    def headlines(self) -> Mapping[str, tuple[str, ...]]:
        """For each marker the ids of the tickets whose subject or description holds it."""
        texts = ((ticket["id"], f"{ticket['subject']} {ticket['description']}") for ticket in self.state["tickets"])
        return _group((number, ticket) for ticket, text in texts for number in _numbers(text))

    @cached_property
    def remarks(self) -> Mapping[str, tuple[str, ...]]:
        """For each marker the ids of the tickets with comments that hold it, once per comment."""
        texts = ((comment["ticketId"], comment["content"]) for comment in self.state["comments"])
        return _group((number, ticket) for ticket, text in texts for number in _numbers(text))

    def places(self, marker: str) -> tuple[str, ...]:
        """The ids of the tickets that hold a marker, once per text."""
        return (*self.headlines.get(marker, ()), *self.remarks.get(marker, ()))

    @cached_property
    def files(self) -> Mapping[str, tuple[str, ...]]:
        """For each SHA-256 the ids of the tickets that have the file."""
        return _group((one["sha256"], one["ticketId"]) for one in self.state["attachments"])

    @cached_property
    def answers(self) -> Mapping[str, tuple[str, ...]]:
        """For each post the texts by which the bot answered it."""
        own = (entry for entry in self.life if entry["from_bot"] and entry["kind"] == "message" and entry["quoted"])
        return _group((entry["quoted"], entry["text"]) for entry in own)


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """All findings, each a sentence; empty where nothing is wrong."""

    lost: tuple[str, ...] = ()
    """A ticket, a follow-up, a photo or an answer that is missing, or that is in the wrong place."""
    duplicate_tickets: tuple[str, ...] = ()
    """An incident with two tickets, a follow-up or photo told twice, a person with two contacts."""
    duplicate_replies: tuple[str, ...] = ()
    """Something that the groups were told twice."""
    false_tickets: tuple[str, ...] = ()
    """Tickets of nothing."""

    @property
    def is_clean(self) -> bool:
        """Nothing was found."""
        return not any(getattr(self, field.name) for field in fields(self))


async def observe(desk_url: str, whatsapp_url: str) -> Observed:
    """Read both emulators."""
    async with httpx.AsyncClient(timeout=60.0) as client:
        state = (await client.get(f"{desk_url}/_emulator/state")).raise_for_status().json()
        life: list[Row] = []
        while True:
            params = {"after": life[-1]["cursor"] if life else 0, "limit": _PAGE}
            page = (await client.get(f"{whatsapp_url}/simulator/messages", params=params)).raise_for_status().json()
            life += page["messages"]
            if len(page["messages"]) < _PAGE:
                return Observed(state=state, life=life)


def check(incidents: Sequence[Incident], seen: Observed) -> Verdict:
    """Compare what must be with what is."""
    numbers = {ticket["id"]: str(ticket["ticketNumber"]) for ticket in seen.state["tickets"]}
    lost: list[str] = []
    doubled: list[str] = []
    told_twice: list[str] = []
    claimed: set[str] = set()
    for incident in incidents:
        tickets = seen.headlines.get(incident.marker, ())
        claimed |= set(tickets)
        if not tickets:
            lost.append(f"incident {incident.marker} has no ticket")
            continue
        if len(tickets) > 1:
            doubled.append(f"incident {incident.marker} has the tickets {', '.join(numbers[one] for one in tickets)}")
        parts = {f"follow-up {marker}": seen.places(marker) for marker in incident.follow_ups}
        parts |= {f"photo {sha256[:8]}": seen.files.get(sha256, ()) for sha256 in incident.photos}
        for name, places in parts.items():
            lost += _missing(name, incident, places, tickets)
            doubled += [f"{name} of {incident.marker} is there {len(places)} times"] if len(places) > 1 else []
        answers = [text for text in seen.answers.get(incident.opening, ()) if _names(text, numbers[tickets[0]])]
        lost += [] if answers else [f"incident {incident.marker} was not answered with its ticket's number"]
        told_twice += [f"incident {incident.marker} was answered {len(answers)} times"] if len(answers) > 1 else []
    return Verdict(
        lost=tuple(lost),
        duplicate_tickets=(*doubled, *_doubled_contacts(seen.state["contacts"])),
        duplicate_replies=(*told_twice, *_doubled_sends(seen.life)),
        false_tickets=tuple(f"ticket {numbers[one]} is of no incident" for one in numbers if one not in claimed),
    )


def _missing(name: str, incident: Incident, places: Sequence[str], tickets: Sequence[str]) -> list[str]:
    if not places:
        return [f"{name} of {incident.marker} is nowhere"]
    return [f"{name} of {incident.marker} is in another ticket"] if not set(places) & set(tickets) else []


def _doubled_contacts(contacts: Iterable[Row]) -> list[str]:
    counts = Counter(contact.get("mobile") or contact.get("phone") for contact in contacts)
    return [f"{count} contacts have one phone" for phone, count in counts.items() if phone and count > 1]


def _doubled_sends(life: Iterable[Row]) -> list[str]:
    counts = Counter(entry["key"] for entry in life if entry["from_bot"])
    return [f"{key} was sent {count} times" for key, count in counts.items() if count > 1]


def _names(text: str, ticket_number: str) -> bool:
    return re.search(rf"#{re.escape(ticket_number)}(?![0-9])", text) is not None


def _group(pairs: Iterable[tuple[str, str]]) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, list[str]] = defaultdict(list)
    for key, value in pairs:
        found[key].append(value)
    return {key: tuple(values) for key, values in found.items()}


def _numbers(text: str) -> set[str]:
    return set(_NUMBER.findall(text))

"""From a turn to what a model is asked: the document with the conversation around it, redacted and bounded. Pure.

What the local tier thinks is not told: a second opinion is worth more when nobody leads it.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from supportbot.classifier.linking import rank_links
from supportbot.classifier.memory import MAX_TEXT, Incident, Recent
from supportbot.classifier.models.injection import find_injection
from supportbot.classifier.models.instructions import make_system
from supportbot.classifier.models.redact import Participant, Redactor
from supportbot.classifier.models.request import Request, make_schema
from supportbot.classifier.models.spelling import clean
from supportbot.classifier.scene import Policy, Scene
from supportbot.classifier.turn import Turn
from supportbot.classifier.verdict import Verdict
from supportbot.contracts import Media, Person

MAX_OFFERED = 12
MAX_RECENT = 12
MAX_TURN_CHARS = 2_000
MAX_LINE_CHARS = 160
LEFT_OUT = "(orders to the bot, left out)"
MAX_USER_CHARS = 9_000
"""About 3,000 tokens; what tells least goes first."""


@dataclass(frozen=True)
class _Shown:
    """What the document shows of the memory, the likeliest and the latest first."""

    incidents: tuple[Incident, ...] = ()
    messages: tuple[Recent, ...] = ()

    @property
    def refs(self) -> dict[str, str]:
        """Refs by incident id."""
        return {one.incident_id: f"I{number}" for number, one in enumerate(self.incidents, 1)}

    def less(self) -> "_Shown | None":
        """The same with less; None when there is little left to leave out."""
        if len(self.messages) > 4:
            return replace(self, messages=self.messages[:-1])
        return replace(self, incidents=self.incidents[:-1]) if len(self.incidents) > 3 else None


def make_request(turn: Turn, verdict: Verdict, policy: Policy) -> Request:
    """What to ask a model about this turn.

    Args:
        turn: The turn and the memory before it.
        verdict: Of a tier before; it helps to choose which incidents are offered, and is not told.
        policy: The bot's categories and language.
    """
    request = Request(
        system=make_system(policy.categories),
        user="",
        schema=make_schema(category.name for category in policy.categories),
    )
    if turn.message is None:
        redactor = Redactor()
        said = {"who": redactor.pseudonym(""), "role": "member", "texts": [_redact_turn(redactor, turn.text)]}
        return _fill(request, policy, redactor, said, [], [])
    scene = Scene(turn.memory, turn.message, verdict, policy)
    shown: _Shown | None = _Shown(_offered(scene), tuple(reversed(turn.memory.recent[-MAX_RECENT:])))
    while shown is not None:
        redactor = Redactor(_participants(scene))
        said = _turn(scene, redactor, turn.text, shown.refs)
        offered = [_incident(scene, redactor, one, shown.refs, said) for one in shown.incidents]
        recent = [_recent(scene, redactor, one, shown.refs) for one in reversed(shown.messages)]
        request = replace(
            _fill(request, policy, redactor, said, offered, recent),
            offered={ref: incident_id for incident_id, ref in shown.refs.items()},
            solves=scene.solves,
        )
        shown = shown.less() if len(request.user) > MAX_USER_CHARS else None
    return request


def _fill(
    request: Request,
    policy: Policy,
    redactor: Redactor,
    said: dict[str, Any],
    offered: Sequence[dict[str, Any]],
    recent: Sequence[dict[str, Any]],
) -> Request:
    document = {"group_language": policy.language, "open_incidents": offered, "recent": recent, "turn": said}
    return replace(
        request,
        user=json.dumps(document, ensure_ascii=False, separators=(",", ":")),
        turn_text="\n".join(said["texts"]),
        placeholders=redactor.placeholders,
    )


def _offered(scene: Scene) -> tuple[Incident, ...]:
    """The incidents that the turn may go on with, likeliest first: by the structure, and what the author has open."""
    ranked = [link.incident for link in rank_links(scene)]
    own = sorted(scene.all_own, key=lambda one: (one.resolved_at is not None, -one.last_at.timestamp()))
    first = [one for one in (scene.quoted, *ranked[:3], *own[:3], *ranked) if one is not None and not one.dropped]
    return tuple({one.incident_id: one for one in first}.values())[:MAX_OFFERED]


def _participants(scene: Scene) -> list[Participant]:
    """Everybody whose name or phone is known, once."""
    memory = scene.memory
    people: list[Person] = [*memory.people.values(), *(one.sender for one in memory.pending)]
    for incident in memory.incidents:
        people += [incident.state.reporter, *incident.state.affected]
    people += [*scene.message.mentions, scene.message.sender]
    known: dict[str, Participant] = {
        author.ref: Participant(author.ref, (author.name,)) for author in memory.authors.values()
    }
    for person in people:
        before = known.get(person.ref, Participant(person.ref))
        names = dict.fromkeys((*before.names, person.push_name or ""))
        known[person.ref] = Participant(person.ref, tuple(names), person.phone or before.phone)
    return list(known.values())


def _turn(scene: Scene, redactor: Redactor, text: str, refs: dict[str, str]) -> dict[str, Any]:
    message = scene.message
    who = redactor.pseudonym(scene.author)
    own = message.text
    mentions = [person.ref for person in message.mentions]
    before = text.removesuffix(own).strip() if own and text.endswith(own) else ""
    texts = [_redact_turn(redactor, before), _redact_turn(redactor, own if before else text, mentions)]
    quoted = scene.memory.message(message.quoted_ref) if message.quoted_ref else None
    said = {
        "who": who,
        "role": "staff" if message.sender.staff else "seems staff" if scene.solves else "member",
        "texts": [one for one in texts if one],
        "has_media": _media(message.media) is not None,
        "mentions": [redactor.pseudonym(ref) for ref in mentions] + ["bot"] * message.mentions_bot,
        "quotes_ref": None if scene.quoted is None else refs.get(scene.quoted.incident_id, "other"),
        "waiting_photos": sum(one.media is not None for one in scene.waiting),
    }
    if quoted is not None:
        said["quotes"] = _line(redactor, quoted)
    if message.forwarded:
        said["forwarded"] = True
    if message.note:
        said["note"] = message.note
    return said


def _incident(
    scene: Scene, redactor: Redactor, incident: Incident, refs: dict[str, str], said: dict[str, Any]
) -> dict[str, Any]:
    state = incident.state
    # Its other numbers may be somebody's phone: what was taken out of a text was remembered before.
    common = set(incident.documents) & set(re.findall(r"\d+", " ".join(said["texts"])))
    last = [one for one in scene.memory.recent if one.incident_id == incident.incident_id][-2:]
    told = {
        "ref": refs[incident.incident_id],
        "subject": _old(redactor, _mend(state.subject, cut=state.subject.endswith("…"))),
        "sites": list(state.sites[:8]),
        "numbers": sorted(common),
        "age_min": _minutes(scene.now, state.opened_at),
        "quiet_min": _minutes(scene.now, incident.last_at),
        "reporter": redactor.pseudonym(incident.reporter),
        "affected": len(state.affected),
        "answered": incident.answered,
        "resolved": incident.resolved_at is not None,
        "last": [f"{redactor.pseudonym(one.author)}: {_line(redactor, one)}" for one in last],
    }
    return {key: value for key, value in told.items() if value or key in {"ref", "age_min", "quiet_min"}}


def _recent(scene: Scene, redactor: Redactor, message: Recent, refs: dict[str, str]) -> dict[str, Any]:
    said: dict[str, Any] = {
        "who": redactor.pseudonym(message.author),
        "role": "staff" if message.staff else None,
        "min_ago": _minutes(scene.now, message.at),
        "text": _line(redactor, message),
    }
    said = {key: value for key, value in said.items() if value is not None}
    return {**said, "incident": refs.get(message.incident_id, "other") if message.incident_id else None}


def _line(redactor: Redactor, message: Recent) -> str:
    """A remembered message in one line, its attachment in brackets."""
    text = _old(redactor, _mend(message.text, cut=len(message.text) >= MAX_TEXT))
    kind = _media(message.media)
    return " ".join(part for part in (f"[{kind}]" if kind else "", _cut(text, MAX_LINE_CHARS)) if part)


def _old(redactor: Redactor, text: str) -> str:
    """Words of an earlier message, in one line; without those that give orders, which would outlast their turn."""
    return LEFT_OUT if find_injection(text) else redactor.redact(text).replace("\n", " ")


def _redact_turn(redactor: Redactor, text: str, mentions: Sequence[str] = ()) -> str:
    """A text of the turn; of a long one the beginning and the end."""
    text = clean(text)
    if len(text) > MAX_TURN_CHARS:
        end = text[-500:].split()[1:]
        while end and _is_part(end[0]):
            end.pop(0)
        text = f"{_mend(text[: MAX_TURN_CHARS - 500], cut=True)} {' '.join(end)}"
    return redactor.redact(text, mentions)


def _mend(text: str, *, cut: bool) -> str:
    """A text that was cut, without the last word and the numbers before it: half a phone number is not recognised."""
    if not cut:
        return text
    words = text.rstrip("…").split(" ")[:-1]
    while words and _is_part(words[-1]):
        words.pop()
    return " ".join(words) + "…"


def _is_part(word: str) -> bool:
    """Whether a word may be a part of something that is recognised as a whole only."""
    return any(char.isdigit() or char in "@:=/" for char in word)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[:limit].rsplit(" ", 1)[0] + "…"


def _media(media: Media | None) -> str | None:
    return None if media is None or media.kind == "sticker" else media.kind


def _minutes(now: datetime, at: datetime) -> int:
    return max(0, round((now - at).total_seconds() / 60))

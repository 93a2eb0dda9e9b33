"""Photos, files and voice notes without words: whose incident they show, or that they wait for a sentence. Pure.

Photos come before the sentence almost as often as after it, and one report in seven is a photo alone.
"""

from dataclasses import replace
from datetime import timedelta

from supportbot.classifier.assembly import (
    Assembly,
    continue_incident,
    join_waiting,
    leave,
    let_wait,
    open_incident,
    open_waiting,
)
from supportbot.classifier.linking import Link, rank_links
from supportbot.classifier.memory import Incident, Memory
from supportbot.classifier.scene import WAIT_FOR_WORDS, Scene
from supportbot.contracts import Decision, Evidence, Kind, MessageClassified

OWN_EVIDENCE = timedelta(minutes=45)
"""A photo so long after its author's last word in their incident still shows that incident."""
EXPLAINED_WITHIN = timedelta(minutes=90)
"""A text of the photo's author so long after it still explains it."""
LATER_EVIDENCE = timedelta(hours=2)
"""A photo that nobody explained goes to its author's incident of so long ago rather than to a new one."""


def place_attachment(scene: Scene, memory: Memory) -> tuple[Assembly, Memory]:
    """Decide on an attachment without words."""
    media = scene.message.media
    if media is not None and media.kind == "sticker":
        return leave(scene, memory, Kind.CHATTER, "is a sticker", confidence=0.9)
    links = rank_links(scene)
    if scene.quoted is not None and links:
        return _show(scene, memory, links[0])
    if scene.solves:
        return _place_solver(scene, memory, links)
    own = scene.own
    if own is not None and _shows_own(scene, own):
        best = next((link for link in links if link.incident.reporter == scene.author), None)
        return _show(scene, memory, best or Link(own, 0, ()))
    called = scene.question
    if called is not None and called.incident_id and scene.previous is called and not scene.waiting:
        asked = memory.incident(called.incident_id)
        if asked is not None and scene.author in asked.seen:
            return _show(scene, memory, Link(asked, 0, ("answers the question in it",)))
    words = tuple(one for one in scene.waiting if one.text and scene.age_min(one.sent_at) <= 5)
    if words and not any(one.media for one in scene.waiting) and _begs(memory, words[-1]):
        return open_incident(scene, memory, ("shows what its author asked help for",), confidence=0.65)
    if scene.previous_incident is not None and _joined_lately(scene, scene.previous_incident):
        return _show(scene, memory, Link(scene.previous_incident, 0, ("its author wrote in it just before",)))
    return let_wait(scene, memory, "photo waits for an explanation")


def open_unexplained(scene: Scene, memory: Memory) -> tuple[tuple[MessageClassified, ...], dict[str, Decision], Memory]:
    """What has waited too long by the time of this message becomes evidence of its author's incident or opens one."""
    events: list[MessageClassified] = []
    decisions: dict[str, Decision] = {}
    due: dict[str, list[Evidence]] = {}
    for one in (one for one in memory.pending if one.message_ref not in memory.held):
        due.setdefault(one.sender.ref, []).append(one)
    for author, waiting in due.items():
        photos = [one for one in waiting if one.media]
        limit = EXPLAINED_WITHIN if author == scene.author else WAIT_FOR_WORDS
        if not photos or scene.now - photos[-1].sent_at < limit:
            continue
        if _is_solver(memory, waiting[0]):
            memory = memory.without_pending(one.message_ref for one in waiting)
            continue
        known = _took_part(memory, author, photos[0])
        if known is not None:
            reason = "its author had just written in it"
            event, changed, memory = join_waiting(scene, memory, known, tuple(waiting), reason)
        else:
            event, changed, memory = open_waiting(scene, memory, tuple(waiting), "nobody explained the photo in time")
        events.append(event)
        decisions |= changed
    return tuple(events), decisions, memory


def _took_part(memory: Memory, author: str, photo: Evidence) -> Incident | None:
    """The incident that the author of a photo wrote in last, not long before it."""
    near = [
        (seen, one)
        for one in memory.incidents
        if not one.dropped and (seen := one.seen.get(author)) is not None and abs(photo.sent_at - seen) <= OWN_EVIDENCE
    ]
    return max(near, key=lambda pair: pair[0])[1] if near else None


def _is_solver(memory: Memory, one: Evidence) -> bool:
    known = memory.authors.get(one.sender.ref)
    return one.sender.staff or (known is not None and known.answers > 1.3 * known.openings + 1.2)


def _shows_own(scene: Scene, own: Incident) -> bool:
    since = scene.now - own.seen.get(scene.author, own.state.opened_at)
    if own.resolved_at is not None:
        # Behind an answer a photo shows whether it helped; behind the reporter's own word it shows something else.
        return since <= timedelta(minutes=2 if own.resolved_by == scene.author else 15)
    last = scene.own_previous
    elsewhere = last is not None and last.incident_id != own.incident_id and last.incident_id is not None
    return (
        since <= OWN_EVIDENCE
        and not (elsewhere and since > timedelta(minutes=5))
        and not any(one.media for one in scene.waiting)
    )


def _joined_lately(scene: Scene, incident: Incident) -> bool:
    seen = incident.seen.get(scene.author)
    return seen is not None and scene.now - seen <= timedelta(minutes=10)


def _begs(memory: Memory, words: Evidence) -> bool:
    known = memory.message(words.message_ref)
    return known is not None and any("more words" in reason or "unsure" in reason for reason in known.decision.reasons)


def _place_solver(scene: Scene, memory: Memory, links: list[Link]) -> tuple[Assembly, Memory]:
    if scene.message.forwarded or not links or links[0].score < -0.5:
        return let_wait(scene, memory, "photo of somebody who solves waits for words")
    return continue_incident(
        scene, memory, links[0].incident, Kind.STAFF, ("answers with an attachment", *links[0].reasons[:2])
    )


def _show(scene: Scene, memory: Memory, link: Link) -> tuple[Assembly, Memory]:
    reasons = ("shows what its author reported", *link.reasons[:2])
    return continue_incident(scene, memory, link.incident, Kind.EVIDENCE, reasons)


def photos_of_this(scene: Scene) -> tuple[Evidence, ...]:
    """The author's last photos, if they stand nearer to this text than to the one before them."""
    photos = [one for one in scene.fresh_photos if one.incident_id]
    if not photos:
        return ()
    index = next(i for i, one in enumerate(scene.memory.recent) if one.ref == photos[0].ref)
    before = next((one for one in reversed(scene.memory.recent[:index]) if one.author == scene.author), None)
    gap_before = (photos[0].at - before.at).total_seconds() if before is not None else 1e9
    gap_after = (scene.now - photos[-1].at).total_seconds()
    known = scene.memory.authors.get(scene.author)
    habit = 1.0 if known is None else (1 + known.photo_first) / (1 + known.text_first)
    if gap_after > gap_before * habit * 1.2 + 5:
        return ()
    return tuple(
        Evidence(message_ref=one.ref, sender=scene.message.sender, sent_at=one.at, media=one.media) for one in photos
    )


def find_lonely_photo(scene: Scene, memory: Memory, best: Link | None) -> tuple[Evidence, ...]:
    """Somebody else's photo without words that a staff message reacts to."""
    photos = [
        one
        for one in memory.pending
        if one.media and scene.age_min(one.sent_at) <= 240 and one.sender.ref != scene.author
    ]
    if not photos:
        return ()
    quoted = next((one for one in photos if one.message_ref == scene.message.quoted_ref), None)
    target = quoted or next((one for one in reversed(photos) if one.sender.ref in scene.addressed), None)
    if target is None and scene.previous is not None and scene.previous.ref == photos[-1].message_ref:
        s = scene.verdict.signals
        fits = best is not None and best.score >= (2.2 if s.question or s.answer else 0.3)
        target = None if fits or s.courtesy > 0.75 else photos[-1]
    return memory.waiting(target.sender.ref) if target is not None else ()


def answer_photo(scene: Scene, memory: Memory, waiting: tuple[Evidence, ...]) -> tuple[Assembly, Memory]:
    """A reaction of somebody who solves shows that the photo was a report."""
    event, changed, memory = open_waiting(scene, memory, waiting, "somebody who solves reacts to the photo")
    incident = memory.incident(event.decision.incident_id)
    assert incident is not None
    kind = (
        Kind.RESOLUTION
        if scene.verdict.signals.resolution >= 1.6 and not scene.verdict.signals.question
        else Kind.STAFF
    )
    assembly, memory = continue_incident(scene, memory, incident, kind, ("reacts to the photo that waited",))
    return replace(assembly, late=(event,), earlier={**changed, **assembly.earlier}), memory


def explain_photo(scene: Scene, memory: Memory, photos: tuple[Evidence, ...]) -> tuple[Assembly, Memory]:
    """The author's next words, whatever they are, show that the photo was a report."""
    event, changed, memory = open_waiting(scene, memory, photos, "its author went on without telling a problem")
    incident = memory.incident(event.decision.incident_id)
    assert incident is not None
    assembly, memory = continue_incident(scene, memory, incident, Kind.FOLLOW_UP, ("goes with the photo before it",))
    return replace(assembly, late=(event,), earlier={**changed, **assembly.earlier}), memory

"""What a decided message tells about its author and the people it mentions: counts for the next ones. Pure."""

from supportbot.classifier.memory import Author, Incident, Memory
from supportbot.classifier.normalise import fold, words_of
from supportbot.classifier.scene import Scene
from supportbot.contracts import Decision, Kind


def count_people(scene: Scene, memory: Memory, decision: Decision) -> Memory:
    """The memory with the counts of the author, and of those who were called for help, brought up to date."""
    author = _author(scene, memory)
    incident = memory.incident(decision.incident_id)
    update: dict[str, object] = {
        "last_at": max(author.last_at, scene.now),
        "texts": author.texts + bool(scene.message.text),
    }
    if decision.opens:
        update["openings"] = author.openings + 1.0
        update |= _manner(scene, author)
    elif incident is not None:
        openings, answers = _role(scene, decision, incident)
        update["openings"] = author.openings + openings
        update["answers"] = author.answers + answers
    elif scene.message.media and scene.message.media.kind != "sticker":
        update["openings"] = author.openings + 0.2
    memory = memory.with_author(author.model_copy(update=update))
    return _count_called(scene, memory, decision)


def _role(scene: Scene, decision: Decision, incident: Incident) -> tuple[float, float]:
    """What the message adds to the author's `openings` and `answers`."""
    s = scene.verdict.signals
    if incident.reporter == scene.author:
        return (0.3, 0.0)
    if any(person.ref == scene.author for person in incident.state.affected):
        return (0.2, 0.0)
    if s.same_case or s.insistence >= 1.2:
        return (0.4, 0.0)
    if decision.kind is Kind.EVIDENCE:
        return (0.2, 0.0)
    return (0.0, 0.25 + 0.75 * min(1.0, s.answer / 1.5) + 0.5 * min(1.0, s.resolution / 1.6))


def _count_called(scene: Scene, memory: Memory, decision: Decision) -> Memory:
    """Whoever is mentioned in a report or an insistence is called because they solve."""
    if decision.kind not in {Kind.INCIDENT, Kind.FOLLOW_UP}:
        return memory
    for person in scene.message.mentions[:3]:
        known = memory.authors.get(person.ref)
        if person.ref != scene.author and known is not None:
            memory = memory.with_author(known.model_copy(update={"answers": known.answers + 0.6}))
    return memory


def _manner(scene: Scene, author: Author) -> dict[str, object]:
    photos = any(one.media for one in scene.waiting)
    return {"photo_first": author.photo_first * 0.9 + photos, "text_first": author.text_first * 0.9 + (not photos)}


def _author(scene: Scene, memory: Memory) -> Author:
    sender = scene.message.sender
    known = memory.authors.get(sender.ref) or Author(ref=sender.ref, last_at=scene.now)
    words = words_of(fold(sender.push_name or ""))
    name = words[0] if words and words[0].isalpha() else ""
    return known if known.name == name or not name else known.model_copy(update={"name": name})

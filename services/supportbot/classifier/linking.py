"""Which incident a message belongs to: every remembered one is scored, the best wins. Pure.

Order of evidence: quote, mention or name, the author's own burst, site and document numbers, recency.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

from supportbot.classifier.memory import Incident
from supportbot.classifier.scene import LIVE, Scene


class Link(NamedTuple):
    """A candidate with the sum of what speaks for it."""

    incident: Incident
    score: float
    reasons: tuple[str, ...]


def rank_links(scene: Scene) -> list[Link]:
    """The incidents that the message may belong to, best first."""
    links = [_score(scene, incident) for incident in _candidates(scene)]
    return sorted(links, key=lambda link: (-link.score, -link.incident.last_at.timestamp()))


def _candidates(scene: Scene) -> Iterator[Incident]:
    """Those of the last hours, and of older ones those that the message quotes, names or whose reporter wrote it."""
    since, author, quoted, numbers = scene.now - LIVE, scene.author, scene.quoted, scene.numbers
    for incident in scene.alive:
        if (
            incident.last_at >= since
            or incident is quoted
            or incident.reporter == author
            or (numbers and not numbers.isdisjoint((*incident.state.sites, *incident.documents)))
        ):
            yield incident


def _score(scene: Scene, incident: Incident) -> Link:
    decay = 0.45 * math.log2(1 + scene.age_min(incident.last_at) / 3)
    parts: list[tuple[float, str]] = [(-min(decay, 1.9) if incident.reporter == scene.author else -decay, "")]
    parts += _people(scene, incident)
    parts += _numbers(scene, incident)
    parts += _course(scene, incident)
    shared = sum(1.0 if scene.rare(token) else 0.4 for token in set(scene.verdict.tokens) & set(incident.tokens))
    if shared:
        parts.append((min(1.8, 0.5 * shared), "shares words with it"))
    reasons = tuple(reason for weight, reason in sorted(parts, key=lambda part: -part[0]) if reason and weight > 0)
    return Link(incident, sum(weight for weight, _ in parts), reasons)


def _people(scene: Scene, incident: Incident) -> list[tuple[float, str]]:
    parts: list[tuple[float, str]] = []
    if incident is scene.quoted:
        parts.append((8.0, "quotes a message of it"))
    if incident.reporter == scene.author:
        own_age = scene.age_min(incident.seen.get(scene.author, incident.state.opened_at))
        parts.append((1.2 + math.exp(-own_age / 240) + 1.2 * math.exp(-own_age / 10), "is its reporter's"))
        if not incident.told:
            parts.append((1.0, "its photo was not explained yet"))
        if scene.verdict.signals.insistence >= 1.2 and incident.resolved_at is None:
            parts.append((1.0, "insists on what its author reported"))
    elif any(person.ref == scene.author for person in incident.state.affected):
        parts.append((2.2, "its author has it as well"))
        if scene.verdict.signals.insistence >= 1.2 and incident.resolved_at is None:
            parts.append((0.8, "insists on what its author has as well"))
    elif (seen := incident.seen.get(scene.author)) is not None:
        # Who has ended a matter goes on to the next.
        left = 0.4 if scene.solves and incident.resolved_by == scene.author else 1.0
        parts.append((left * (0.8 + 1.5 * math.exp(-scene.age_min(seen) / 15)), "its author wrote in it before"))
        if scene.solves and scene.verdict.signals.resolution >= 1.2:
            parts.append((0.8, "ends what its author took on"))
    elif not scene.solves:
        parts.append((-0.5, ""))
    if incident.reporter in scene.addressed:
        parts.append((2.0, "addresses its reporter"))
        if scene.topic_of_addressed == incident.incident_id:
            parts.append((1.5, "answers what its reporter just wrote"))
    elif scene.addressed & incident.seen.keys():
        parts.append((0.8, "addresses somebody who wrote in it"))
    return parts


def _numbers(scene: Scene, incident: Incident) -> list[tuple[float, str]]:
    verdict = scene.verdict
    sites, documents = set(incident.state.sites), set(incident.documents)
    parts: list[tuple[float, str]] = []
    common = sorted((scene.numbers & sites) | (scene.numbers & documents))
    if common:
        # People report from their own store all day, so its number says little about which of their matters is meant.
        own_store = incident.reporter == scene.author and not scene.numbers & documents
        parts.append((1.0 if own_store else 2.8, f"names {common[0]} as it does"))
    elif verdict.sites and sites:
        # Others join a matter from their own store; an answer names the store that it is meant for.
        parts.append((-2.0 if scene.solves or incident.reporter == scene.author else -0.8, ""))
    elif verdict.documents and documents and not sites:
        parts.append((-0.7, ""))
    if names_another(scene, incident):
        parts.append((-2.0, ""))
    if verdict.signals.asks_site and incident.reporter != scene.author:
        parts.append((-1.0 if sites else 0.8, "" if sites else "its store is not known yet"))
    return parts


def names_another(scene: Scene, incident: Incident) -> bool:
    """Whether a number of the text is a document of other incidents and none of this one's."""
    return bool(scene.known_documents) and scene.known_documents.isdisjoint(incident.documents)


def _course(scene: Scene, incident: Incident) -> list[tuple[float, str]]:
    parts: list[tuple[float, str]] = []
    previous = scene.previous
    if names_another(scene, incident):
        return parts  # In one breath staff answers several: the number says which.
    if previous is not None and previous.incident_id == incident.incident_id and scene.age_min(previous.at) <= 30:
        parts.append((1.3, "follows its last message"))
        if scene.follows_itself:
            parts.append((1.3, "continues its author's turn"))
    elif scene.previous_incident is incident:
        parts.append((0.8, "follows its last message"))
    own = scene.own_previous
    if own is not None and own.incident_id == incident.incident_id and scene.in_burst:
        parts.append((1.0, "its author just wrote in it"))
    if scene.question is not None and scene.question.incident_id == incident.incident_id:
        parts.append((1.0 if incident.reporter == scene.author else 0.3, "answers the question in it"))
    if incident.resolved_at is not None and scene.age_min(incident.resolved_at) > 1:
        parts.append((-1.2, ""))
    if scene.solves and not incident.answered:
        parts.append((0.5, "nobody answered it yet"))
    return parts

"""Whether a text tells a new incident: signals are summed to log-odds, in one place. Pure.

The weights are priors from how groups behave (which share of openings, follow-ups and chatter shows a trait),
not a fit to any text.
"""

import math
from typing import NamedTuple

from supportbot.classifier.memory import Incident
from supportbot.classifier.scene import Scene


class Weighed(NamedTuple):
    """Log-odds with what speaks for them, strongest first."""

    score: float
    reasons: tuple[str, ...]


def _sum(parts: list[tuple[float, str]]) -> Weighed:
    ranked = sorted((part for part in parts if part[1] and part[0] >= 0.2), key=lambda part: -part[0])
    return Weighed(sum(weight for weight, _ in parts), tuple(reason for _, reason in ranked))


def weigh_report(scene: Scene) -> Weighed:
    """Log-odds that the text, read with what waits beside it, reports something."""
    verdict, s = scene.verdict, scene.verdict.signals
    problem, request = min(s.problem, 1.4) / 1.4, min(s.request, 1.4) / 1.4
    if s.announcement >= 1.6:
        request *= 0.4  # Who tells all what is to come also tells them what to do.
    further = bool(scene.all_own) and s.another >= 1 and all(scene.is_news(own) for own in scene.all_own)
    long = verdict.length >= 60  # Resolutions are short; in a long report "ya pasó" tells the course of events.
    parts = [
        (-1.7, ""),
        (
            1.9 * max(problem, request) + 0.9 * min(problem, request),
            "tells a problem" if problem >= request else "asks for help",
        ),
        (0.35 * min(s.object, 1.5), "names a thing that support deals with"),
        (0.9 * min(s.report, 1.5), "passes on a report"),
        (0.6 if s.greeting and s.courtesy < 0.8 else 0.0, "greets and goes on"),
        (0.25 * min(verdict.length / 40, 2.5) - (0.4 if verdict.length < 18 else 0.0), ""),
        (-_insists(scene), ""),
        (-(0.1 if further else 0.5) * min(s.detail, 1.5), "sounds like a detail"),
        (-1.4 * min(s.resolution, 2.0) * (0.3 if long and (s.problem or s.request) else 1.0), ""),
        (-1.3 * min(s.announcement, 2.0), "sounds like an announcement"),
        (-0.9 * min(s.answer, 1.6) * (1 - 0.5 * request), "sounds like an answer"),
        (-0.5 * s.small_talk, "sounds like small talk"),
        # Who laughs tells a fault only with the place it is at.
        (-(0.3 if verdict.sites else 1.2) * s.laughs, "laughs"),
        (-2.0 * min(s.peers, 1.5), "asks colleagues"),
        (0.0 if scene.is_concrete else -0.6, "names nothing"),
        (-0.8 if s.thanks >= 1 and not problem and not request else 0.0, "only thanks"),
        (0.5 if further else 0.0, "begins a further matter"),
        (-2.5 * max(0.0, s.courtesy - 0.6), "is mostly courtesy"),
        (-0.4 if s.question and not request and not scene.comes_new else 0.0, ""),
        (-2.2 * min(scene.solver, 0.6), "its author mostly answers"),
    ]
    if verdict.sites:
        parts.append((0.8, f"names store {verdict.sites[0]}"))
    elif verdict.documents or verdict.bare_numbers:
        parts.append((0.6, "names a number"))
    if any(one.media for one in scene.waiting):
        parts.append((1.0, "a photo of its author waits"))
    elif scene.message.media is not None:
        parts.append((0.8, "shows it in an attachment"))
    if _is_full_statement(scene):
        parts.append((0.6, "states something in full"))
    if scene.comes_new:
        weight = 0.9 if scene.own is None or scene.own.resolved_at is not None else 0.45
        weight *= 1.0 if scene.is_concrete and s.laughs < 0.5 else 0.3
        parts.append((weight * min(1.0, verdict.length / 40), "its author comes new and addresses nobody"))
    return _sum(parts)


def _insists(scene: Scene) -> float:
    """What insistence takes from a report: less where nothing is known to insist on, or something new is named."""
    insistence = min(scene.verdict.signals.insistence, 2.0)
    if scene.own is None:
        return 1.2 * max(0.0, insistence - 0.8)
    return (0.4 if all(scene.is_news(own) for own in scene.all_own) else 1.2) * insistence


def _is_full_statement(scene: Scene) -> bool:
    """Number, thing and length, said out of the blue: a report that holds none of our words."""
    verdict, s = scene.verdict, scene.verdict.signals
    if verdict.length < 35 or not scene.numbers or not s.object:
        return False
    if scene.own is not None and scene.age_min(scene.own.last_at) < 15:
        return False
    return max(s.answer, s.detail, s.insistence, s.resolution, s.announcement, s.same_case, s.thanks) < 1.2


def weigh_continuations(scene: Scene) -> tuple[Weighed, Incident] | None:
    """The best of the author's own incidents to go on with; None when there is none."""
    weighed = [(weigh_continuation(scene, own), own) for own in scene.all_own]
    return max(weighed, key=lambda pair: (pair[0].score, pair[1].last_at), default=None)


def weigh_continuation(scene: Scene, own: Incident) -> Weighed:
    """Log-odds that the text goes on with its author's own incident, to be compared with `weigh_report`."""
    verdict, s = scene.verdict, scene.verdict.signals
    age = scene.age_min(max(own.seen.get(scene.author, own.state.opened_at), own.state.opened_at))
    substance = max(min(s.problem, 1.4), min(s.request, 1.4)) / 1.4
    sites, documents = set(own.state.sites), set(own.documents)
    news = scene.is_news(own)
    parts = [
        (0.2 + 2.3 * math.exp(-age / 40), "its author has an incident alive"),
        (-1.3 * substance if s.greeting and s.courtesy < 0.8 and age >= 2 else 0.0, "greets again"),
        (-(2.2 if news else 1.0) if s.another and (substance or news) else 0.0, "speaks of another matter"),
        (-_closed(scene, own, age), ""),
        (-1.5 * substance if any(one.media for one in scene.waiting) else 0.0, ""),
        (0.9 if scene.addressed & own.seen.keys() else 0.0, "addresses who answered it"),
        (1.5 if not own.told and not _speaks_of_other(scene, own) else 0.0, "the photo was not explained yet"),
        ((0.4 if news else 1.2) * min(1.5, s.insistence), ""),
    ]
    if scene.numbers & documents:
        parts.append((2.0, "names the same number"))
    elif scene.numbers & sites:
        # People report from their own store all day, so its number alone ties little.
        parts.append((0.2 + math.exp(-age / 60), "names the same store"))
    elif verdict.sites and sites:
        parts.append((-2.8 * substance, "names another store"))
    elif verdict.documents and documents:
        parts.append((-1.2 * substance, "names another document"))
    shared = set(verdict.tokens) & set(own.tokens)
    if (
        verdict.tokens
        and len(shared) >= 3
        and len(shared) / len(verdict.tokens) >= 0.6
        and not (verdict.sites and sites - set(verdict.sites))
    ):
        parts.append((2.0, "says it again"))
    elif own.resolved_at is None or age <= 120:
        each = 0.7 if own.resolved_at is None else 0.5
        parts.append(
            (
                min(1.6, each * sum(scene.rare(token) for token in shared)),
                "speaks of the same",
            )
        )
    question = scene.question
    if (
        question is not None
        and question.incident_id == own.incident_id
        and question.at >= own.seen.get(scene.author, question.at)
    ):
        parts.append((1.0, "answers a question"))
    return _sum(parts)


def _speaks_of_other(scene: Scene, own: Incident) -> bool:
    """Whether the text has a telling word in common with another incident of its author."""
    words = {token for token in scene.verdict.tokens if scene.rare(token)}
    return any(words & set(other.tokens) for other in scene.all_own if other is not own)


def _closed(scene: Scene, own: Incident, age_min: float) -> float:
    """How much the incident is over for its reporter, 0 to 1.6."""
    closed = 0.0
    if own.resolved_at is not None:
        closed = 1.2 if own.resolved_by == scene.author or age_min > 15 else 0.3
        if own.resolved_by == scene.author and scene.verdict.signals.problem >= 0.8:
            closed = 2.0  # Their own word that it is over, and now a problem: the next one.
    if own.thanked_at is not None and own.thanked_at >= own.seen.get(scene.author, own.thanked_at):
        closed += 0.5 if own.resolved_at is not None else 0.3
    return closed if scene.verdict.signals.insistence < 1.2 else 0.3 * closed

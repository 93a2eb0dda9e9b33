"""What can become of a text, each possibility with what speaks for and against it. Pure.

Every message with words either opens an incident, goes on with one of those remembered, reacts to somebody's photo that
nobody has explained, or belongs to nothing. Here are the possibilities and their traits, by name and mostly between -1
and 2; `choice` weighs them in one place.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from supportbot.classifier.attachments import EXPLAINED_WITHIN
from supportbot.classifier.linking import Link, names_another, rank_links
from supportbot.classifier.memory import Incident
from supportbot.classifier.normalise import fold
from supportbot.classifier.opening import Weighed, weigh_continuation, weigh_report
from supportbot.classifier.scene import Scene
from supportbot.classifier.verdict import Verdict
from supportbot.contracts import Evidence, Kind

MAX_FOLLOWED = 8
"""Incidents that are weighed: the best by `linking`, and the author's own."""
_LATER = re.compile(
    r"(?:^|\W)(?:mañana|manana|pasado mañana|el (?:lunes|martes|miercoles|jueves|viernes|sabado|domingo)|este fin|"
    r"proxim[oa]|tomorrow|tonight|next|on (?:monday|tuesday|wednesday|thursday|friday|saturday|sunday)|amanha|"
    r"(?:de|from|das) \d{1,2}(?:[:.]\d\d)? ?(?:a|to|as|hasta) (?:las )?\d{1,2}|a las \d{1,2}|a partir de|"
    r"from \d|at \d{1,2})"
)
"""Marks of a time that is to come."""
LEAST_LIKELY = 0.02
"""Probabilities are taken between this and its complement: no tier is surer."""


class Way(StrEnum):
    """What a text does."""

    OPEN = "open"
    FOLLOW = "follow"
    PHOTO = "photo"
    LEAVE = "leave"


@dataclass(frozen=True)
class Option:
    """One possibility."""

    way: Way
    traits: Mapping[str, float]
    """What speaks for or against it; traits of 0 are left out."""
    link: Link | None = None
    """The incident to go on with."""
    photos: tuple[Evidence, ...] = ()
    """Of another author: what the text reacts to."""


@dataclass(frozen=True)
class Options:
    """All possibilities of one text."""

    options: tuple[Option, ...]
    report: Weighed
    links: tuple[Link, ...]
    """Best first."""


def list_options(scene: Scene) -> Options:
    """The possibilities for a message with words."""
    links = rank_links(scene)
    report = weigh_report(scene)
    followed = [link for index, link in enumerate(links) if index < MAX_FOLLOWED or link.incident in scene.all_own]
    options = [
        _option(Way.OPEN, _opening(scene, report, links)),
        _option(Way.LEAVE, _leaving(scene, links)),
        *(_option(Way.FOLLOW, _following(scene, link, links), link=link) for link in followed),
    ]
    photos = _lonely_photos(scene)
    if photos:
        options.append(_option(Way.PHOTO, _reacting(scene, photos, links), photos=photos))
    return Options(tuple(options), report, tuple(links))


def _option(
    way: Way, traits: Iterator[tuple[str, float]], *, link: Link | None = None, photos: tuple[Evidence, ...] = ()
) -> Option:
    return Option(way, {name: value for name, value in traits if value}, link, photos)


def log_odds(verdict: Verdict, *kinds: Kind) -> float:
    """How likely the tier thinks one of these kinds, as bounded log-odds over 2."""
    likely = sum(verdict.kinds.get(kind, 0.0) for kind in kinds)
    likely = min(max(likely, LEAST_LIKELY), 1 - LEAST_LIKELY)
    return math.log(likely / (1 - likely)) / 2


def _clip(value: float, low: float = -2.0, high: float = 2.0) -> float:
    return min(max(value, low), high)


def _opening(scene: Scene, report: Weighed, links: list[Link]) -> Iterator[tuple[str, float]]:
    verdict, s, message = scene.verdict, scene.verdict.signals, scene.message
    yield "always", 1.0
    yield "reports", _clip(report.score / 2)
    yield "reads_like_report", log_odds(verdict, Kind.INCIDENT)
    photos = [one for one in scene.waiting if one.media and scene.now - one.sent_at <= EXPLAINED_WITHIN]
    yield "photo_waits", float(bool(photos))
    yield "photo_just_before", float(bool(photos) and scene.age_min(photos[-1].sent_at) <= 3)
    yield "shows_attachment", float(message.media is not None)
    yield "forwarded", float(message.forwarded)
    yield "comes_new", float(scene.comes_new)
    yield "quotes", float(message.quoted_ref is not None)
    yield "addresses", float(bool(scene.addressed))
    yield "listed_staff", float(message.sender.staff)
    yield "mostly_answers", 0.0 if message.sender.staff else scene.solver
    yield "passes_on", float(message.sender.staff and (s.report > 0 or message.forwarded))
    yield "names_site", float(bool(verdict.sites))
    yield "names_document", float(bool(verdict.documents or verdict.bare_numbers))
    yield "greets", float(s.greeting > 0 and s.courtesy < 0.8)
    own = scene.own
    if own is not None:
        age = scene.age_min(own.seen.get(scene.author, own.state.opened_at))
        yield "own_now", math.exp(-age / 4)
        yield "own_hour", math.exp(-age / 45)
        yield "own_over", float(own.resolved_at is not None or own.thanked_at is not None)
        yield "news_to_own", float(all(scene.is_news(one) for one in scene.all_own))
        sites = {site for one in scene.all_own for site in one.state.sites}
        yield "other_site_than_own", float(bool(verdict.sites) and bool(sites) and not sites & set(verdict.sites))
    numbers = {number for link in links for number in (*link.incident.state.sites, *link.incident.documents)}
    yield "known_number", float(bool(scene.numbers & numbers))
    yield "new_document", float(bool(verdict.documents) and not numbers & set(verdict.documents))
    yield "another", min(s.another, 1.5)
    yield "same_case", min(s.same_case, 2.0) / 2
    yield "insists", min(s.insistence, 2.0) / 2
    yield "tells_nothing", float(scene.tells_nothing)
    yield "length", min(verdict.length, 120) / 80
    if verdict.similar:
        yield "like_known", _near(max(verdict.similar.values()))
        yield "like_own", _near(max((verdict.similar.get(one.incident_id, 0.0) for one in scene.all_own), default=0.0))


def _near(cosine: float) -> float:
    """A cosine of this embedding, which is .75 for texts that have nothing in common, as a trait."""
    return _clip((cosine - 0.82) * 10, -1.0, 1.5) if cosine else 0.0


def _leaving(scene: Scene, links: list[Link]) -> Iterator[tuple[str, float]]:
    verdict, s = scene.verdict, scene.verdict.signals
    yield "reads_like_chatter", log_odds(verdict, Kind.CHATTER)
    yield "courtesy", s.courtesy
    yield "thanks", min(s.thanks, 2.0) / 2
    yield "small_talk", min(s.small_talk, 2.0) / 2
    yield "announces", min(s.announcement, 2.0) / 2
    yield "staff_announces", float(scene.solves) * min(s.announcement, 2.0) / 2
    yield "to_all", float(s.to_all)
    tells_all = scene.solves and verdict.length >= 40 and not s.report and not scene.message.forwarded
    yield "staff_tells_all", float(tells_all and (s.to_all or s.greeting > 0 or _speaks_of_later(scene)))
    yield "laughs", min(s.laughs, 1.0)
    yield "asks_colleagues", min(s.peers, 2.0) / 2
    yield "short", float(verdict.length <= 15 and not scene.numbers)
    yield "substance", min(max(s.problem, s.request, s.insistence), 2.0) / 2
    yield "detail", min(max(s.detail, s.answer, s.resolution), 2.0) / 2
    yield "number", float(bool(scene.numbers))
    yield "no_sign", float(_shows_nothing(verdict))
    yield "murmur", float(_shows_nothing(verdict) and verdict.length <= 15 and scene.question is None)
    yield "future", float(_speaks_of_later(scene))
    yield "question", float(s.question)
    yield "mentions", float(bool(scene.message.mentions))
    yield "quotes", float(scene.message.quoted_ref is not None)
    yield "asked", float(scene.question is not None)
    yield "nothing_alive", float(not links or scene.age_min(links[0].incident.last_at) > 240)
    previous = scene.previous
    talk = previous is not None and previous.kind is Kind.CHATTER and scene.age_min(previous.at) <= 15
    yield "talk_goes_on", float(talk)
    yield "own_talk", float(talk and previous is not None and previous.author == scene.author)
    yield "shows_attachment", float(scene.message.media is not None)
    yield "staff", float(scene.solves)
    yield "takes_no_part", float(not any(scene.author in link.incident.seen for link in links[:6]))


def _shows_nothing(verdict: Verdict) -> bool:
    s = verdict.signals
    if verdict.numbers or s.question:
        return False
    return max(s.problem, s.request, s.insistence, s.detail, s.resolution, s.same_case, s.answer, s.object) < 0.5


def _speaks_of_later(scene: Scene) -> bool:
    """Whether the text names a time that is to come, as announcements do."""
    return _LATER.search(fold(scene.message.text)) is not None


def _following(scene: Scene, link: Link, links: list[Link]) -> Iterator[tuple[str, float]]:
    incident, verdict, s = link.incident, scene.verdict, scene.verdict.signals
    own, solves = incident.reporter == scene.author, scene.solves
    age = scene.age_min(incident.last_at)
    seen = incident.seen.get(scene.author)
    yield "always", 1.0
    yield "fits", _clip(link.score / 3)
    yield "reads_like_more", log_odds(verdict, Kind.FOLLOW_UP, Kind.STAFF, Kind.RESOLUTION, Kind.EVIDENCE)
    yield ("own" if own else "of_staff" if solves else "of_others"), 1.0
    if own:
        yield "goes_on", _clip(weigh_continuation(scene, incident).score / 2)
        yield "own_reads_like_follow_up", log_odds(verdict, Kind.FOLLOW_UP, Kind.RESOLUTION)
        yield "own_insists", min(s.insistence, 2.0) / 2
        yield "own_news", float(scene.is_news(incident))
        yield "own_untold", float(not incident.told)
        yield "own_over", float(incident.resolved_at is not None)
        yield "own_only", float(len(scene.all_own) == 1)
        yield "own_newest", float(incident is scene.own)
    elif solves:
        yield "answer_to_unanswered", float(not incident.answered)
        yield "answer_reads_like_it", log_odds(verdict, Kind.STAFF, Kind.RESOLUTION)
        yield "answer_to_last_word", float(_spoke_last(incident, incident.reporter))
    else:
        yield "other_reads_like_answer", log_odds(verdict, Kind.STAFF)
        yield "other_same_case", min(s.same_case, 2.0) / 2 * math.exp(-age / 30)
        yield "other_affected", float(any(one.ref == scene.author for one in incident.state.affected))
        yield "other_insists", min(s.insistence, 2.0) / 2
    role = "own" if own else "staff" if solves else "other"
    for name, value in (*_recency(scene, incident, age), *_naming(scene, incident)):
        yield name, value
        yield f"{name}_{role}", value
    if seen is not None and not own:
        yield "took_part", 1.0
        yield "took_part_now", math.exp(-scene.age_min(seen) / 10)
        yield f"took_part_now_{role}", math.exp(-scene.age_min(seen) / 10)
    yield "quoted", float(incident is scene.quoted)
    yield "quotes_elsewhere", float(scene.quoted is not None and incident is not scene.quoted)
    yield "addresses_reporter", float(incident.reporter in scene.addressed)
    yield "addresses_part", float(bool(scene.addressed & incident.seen.keys()))
    yield "answers_question", float(scene.question is not None and scene.question.incident_id == incident.incident_id)
    yield "over", float(incident.resolved_at is not None and scene.age_min(incident.resolved_at) > 1)
    yield "resolves", min(s.resolution, 2.0) / 2 * float(incident.resolved_at is None)
    yield "best", float(link is links[0])
    yield "model_names_it", float(verdict.incident_id == incident.incident_id)
    yield "model_names_another", float(verdict.incident_id not in {None, incident.incident_id})


def _spoke_last(incident: Incident, author: str) -> bool:
    seen = incident.seen.get(author)
    return seen is not None and seen >= max(incident.seen.values())


def _recency(scene: Scene, incident: Incident, age_min: float) -> Iterator[tuple[str, float]]:
    yield "alive_now", math.exp(-age_min / 3)
    yield "alive_lately", math.exp(-age_min / 30)
    yield "alive_today", math.exp(-age_min / 400)
    later = scene.count_livelier(incident)
    yield "newest", float(later == 0)
    yield "left_behind", min(math.log1p(later) / 2, 1.5)
    previous = scene.previous
    if previous is not None and previous.incident_id == incident.incident_id:
        near = math.exp(-scene.age_min(previous.at) / 15)
        yield ("continues_turn" if previous.author == scene.author else "follows_last"), near
    own = scene.own_previous
    if own is not None and own.incident_id == incident.incident_id:
        yield "own_last_word", math.exp(-scene.age_min(own.at) / 15)


def _naming(scene: Scene, incident: Incident) -> Iterator[tuple[str, float]]:
    verdict = scene.verdict
    sites, documents = set(incident.state.sites), set(incident.documents)
    yield "same_site", float(bool(scene.numbers & sites))
    yield "other_site", float(bool(verdict.sites) and bool(sites) and not scene.numbers & sites)
    yield "same_document", float(bool(scene.numbers & documents))
    yield "names_another", float(names_another(scene, incident))
    common = set(verdict.tokens) & set(incident.tokens)
    if verdict.similar.get(incident.incident_id):
        yield "similar", _near(verdict.similar[incident.incident_id])
        yield "most_similar", float(verdict.similar[incident.incident_id] >= max(verdict.similar.values()))
    home = {site for one in scene.all_own for site in one.state.sites[:1]}
    if incident.reporter != scene.author and not verdict.sites:
        yield "home_site", float(bool(home & sites))
    yield "shares_words", min(sum(1.0 if scene.rare(token) else 0.4 for token in common) / 3, 1.0)
    yield "asks_site", float(verdict.signals.asks_site and not sites)
    yield "asks_known_site", float(verdict.signals.asks_site and bool(sites))


def _lonely_photos(scene: Scene) -> tuple[Evidence, ...]:
    """The photos of the author, other than the writer, who sent the last one that nobody has explained."""
    photos = [
        one
        for one in scene.memory.pending
        if one.media and scene.age_min(one.sent_at) <= 240 and one.sender.ref != scene.author
    ]
    if not photos:
        return ()
    quoted = next((one for one in photos if one.message_ref == scene.message.quoted_ref), None)
    addressed = next((one for one in reversed(photos) if one.sender.ref in scene.addressed), None)
    return scene.memory.waiting((quoted or addressed or photos[-1]).sender.ref)


def _reacting(scene: Scene, photos: tuple[Evidence, ...], links: list[Link]) -> Iterator[tuple[str, float]]:
    s, verdict, previous = scene.verdict.signals, scene.verdict, scene.previous
    refs = {one.message_ref for one in photos}
    age = scene.age_min(photos[-1].sent_at)
    yield "always", 1.0
    yield "quoted", float(scene.message.quoted_ref in refs)
    yield "addressed", float(photos[0].sender.ref in scene.addressed)
    yield "right_behind", float(previous is not None and previous.ref in refs)
    yield "now", math.exp(-age / 5)
    yield "lately", math.exp(-age / 40)
    yield "solves", float(scene.solves)
    yield "asks", float(s.question)
    yield "asks_site", float(s.asks_site)
    yield "reads_like_answer", log_odds(verdict, Kind.STAFF, Kind.RESOLUTION)
    yield "courtesy", s.courtesy
    yield "number", float(bool(scene.numbers))
    yield "other_fits", _clip(max((link.score for link in links), default=-3.0) / 3)
    yield "several", float(len({one.sender.ref for one in scene.memory.pending if one.media}) > 1)

"""What the local tier knows of a text beside its embedding: the keyword tier's signals and the conversation. Pure.

All values are within about -1 to 2. None of them holds a word, a name or a number of the text: what a linear head
learns of them is who writes when, to whom and about which site, and holds in groups that write in other ways.
"""

import math
from collections.abc import Iterable

from supportbot.classifier.memory import Incident
from supportbot.classifier.scene import Scene
from supportbot.classifier.verdict import Verdict
from supportbot.contracts import Kind

_CAPPED = (
    *("problem", "request", "object", "report", "greeting", "thanks", "insistence", "detail", "resolution"),
    *("answer", "announcement", "same_case", "another", "small_talk", "laughs", "peers", "courtesy"),
)
_SWITCHES = ("to_all", "asks_site", "question", "negated")
_KINDS = tuple(Kind)

SIGNAL_NAMES = (*_CAPPED, *_SWITCHES, "length", "words", "short", "site", "document", "bare_number", "sites")


def signal_features(verdict: Verdict) -> tuple[float, ...]:
    """What the text shows by itself, in the order of `SIGNAL_NAMES`."""
    s = verdict.signals
    return (
        *(min(float(getattr(s, name)), 2.0) / 2 for name in _CAPPED),
        *(float(getattr(s, name)) for name in _SWITCHES),
        min(verdict.length, 160) / 80,
        min(len(verdict.tokens), 16) / 8,
        float(verdict.length < 18),
        float(bool(verdict.sites)),
        float(bool(verdict.documents)),
        float(bool(verdict.bare_numbers)),
        float(len(verdict.sites) > 1),
    )


CONTEXT_NAMES = (
    *("listed", "staff_known", "solver", "unlisted_solver", "author_new", "author_opens", "author_answers"),
    *("own", "own_now", "own_hour", "own_day", "own_resolved", "own_answered", "own_untold", "own_count"),
    *("own_spoke_last", "own_site_same", "own_site_other", "own_document_same", "own_shares", "own_is_news"),
    *("other_now", "other_number", "other_shares", "alive", "took_part"),
    *("photo_waits", "words_wait", "media", "forwarded"),
    *("quotes", "quotes_own", "quotes_other", "mentions", "addresses", "addresses_reporter", "addresses_part"),
    *("asked", "asked_own", "follows_itself", "in_burst", "gap", "comes_new"),
    *(f"previous_{kind.value}" for kind in _KINDS),
    *("previous_staff", "previous_own_incident", "previous_chatter_talk"),
)


def context_features(scene: Scene) -> tuple[float, ...]:
    """What the conversation shows, in the order of `CONTEXT_NAMES`."""
    return (*_author(scene), *_own(scene), *_others(scene), *_manner(scene), *_before(scene))


def _author(scene: Scene) -> Iterable[float]:
    known = scene.memory.authors.get(scene.author)
    listed = scene.message.sender.staff
    yield float(listed)
    yield float(scene.memory.staff_listed)
    yield scene.solver
    yield 0.0 if scene.memory.staff_listed else scene.solver
    yield float(known is None)
    openings, answers = (known.openings, known.answers) if known else (0.0, 0.0)
    yield min(math.log1p(openings) / 2, 1.5)
    yield min(math.log1p(answers) / 2, 1.5)


def _own(scene: Scene) -> Iterable[float]:
    own = scene.own
    if own is None:
        yield from [0.0] * 14
        return
    verdict = scene.verdict
    age = scene.age_min(own.seen.get(scene.author, own.state.opened_at))
    numbers, sites, documents = scene.numbers, set(own.state.sites), set(own.documents)
    yield 1.0
    yield math.exp(-age / 4)
    yield math.exp(-age / 45)
    yield math.exp(-age / 1200)
    yield float(own.resolved_at is not None)
    yield float(own.answered)
    yield float(not own.told)
    yield min(math.log1p(len(scene.all_own)) / 2, 1.0)
    yield float(own.seen.get(scene.author) == max(own.seen.values(), default=None))
    yield float(bool(numbers & sites))
    yield float(bool(verdict.sites) and bool(sites) and not numbers & sites)
    yield float(bool(numbers & documents))
    yield _shares(scene, own)
    yield float(scene.is_news(own))


def _others(scene: Scene) -> Iterable[float]:
    lively = [one for one in scene.lively if one.reporter != scene.author]
    numbers = scene.numbers
    yield max((math.exp(-scene.age_min(one.last_at) / 10) for one in lively), default=0.0)
    yield float(any(numbers & {*one.state.sites, *one.documents} for one in lively))
    yield max((_shares(scene, one) for one in lively), default=0.0)
    yield min(len(lively) / 6, 1.5)
    yield float(any(scene.author in one.seen for one in lively))


def _shares(scene: Scene, incident: Incident) -> float:
    common = set(scene.verdict.tokens) & set(incident.tokens)
    return min(sum(1.0 if scene.rare(token) else 0.4 for token in common) / 3, 1.0)


def _manner(scene: Scene) -> Iterable[float]:
    message, quoted = scene.message, scene.quoted
    yield float(any(one.media for one in scene.waiting))
    yield float(any(one.text for one in scene.waiting))
    yield float(message.media is not None)
    yield float(message.forwarded)
    yield float(message.quoted_ref is not None)
    yield float(quoted is not None and quoted.reporter == scene.author)
    yield float(quoted is not None and quoted.reporter != scene.author)
    yield float(bool(message.mentions))
    yield float(bool(scene.addressed))
    yield float(any(one.reporter in scene.addressed for one in scene.lively))
    yield float(any(scene.addressed & one.seen.keys() for one in scene.lively))


def _before(scene: Scene) -> Iterable[float]:
    question, previous, own = scene.question, scene.previous, scene.own
    yield float(question is not None)
    yield float(question is not None and own is not None and question.incident_id == own.incident_id)
    yield float(scene.follows_itself)
    yield float(scene.in_burst)
    yield min(math.log1p(scene.age_min(previous.at)) / 5, 1.5) if previous is not None else 1.5
    yield float(scene.comes_new)
    recent = previous if previous is not None and scene.age_min(previous.at) <= 60 else None
    yield from (float(recent is not None and recent.kind is kind) for kind in _KINDS)
    yield float(recent is not None and recent.staff)
    yield float(recent is not None and own is not None and recent.incident_id == own.incident_id)
    yield float(recent is not None and recent.kind is Kind.CHATTER and recent.author != scene.author)

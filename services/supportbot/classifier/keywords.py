"""The keyword tier: reads one text alone and scores it. Pure, stdlib only, far below a millisecond.

Negation is looked at first: what says that there is no error is taken out before problems are looked for, and a
resolution behind "aún no" or with a question mark is none.
"""

import math
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

from supportbot.classifier import lexicon
from supportbot.classifier.entities import find_numbers
from supportbot.classifier.lexicon import Compiled, compile_phrase, compile_table
from supportbot.classifier.lexicon_topics import IMPACT, OBJECTS, TOPIC_NAMES, TOPIC_WEIGHTS
from supportbot.classifier.normalise import fold, strip_invisible, words_of
from supportbot.classifier.verdict import Signals, Verdict
from supportbot.contracts import Kind, Priority

_TABLES: dict[str, Compiled] = {
    name: compile_table(getattr(lexicon, name.upper()))
    for name in (
        "greeting",
        "thanks",
        "small_talk",
        "problem",
        "request",
        "report",
        "insistence",
        "detail",
        "resolution",
        "answer",
        "announcement",
        "same_case",
        "another",
        "peers",
    )
}
_ANY = {name: compile_phrase("|".join(phrase for _, phrase in getattr(lexicon, name.upper()))) for name in _TABLES}
"""All phrases of a table in one: most texts hold none, and that is known in a fourth of the time."""
_NO_PROBLEM = compile_table(lexicon.NO_PROBLEM)
_ASKS_SITE = re.compile(lexicon.ASKS_SITE)
_NO_REQUEST = compile_table(lexicon.NO_REQUEST)
_NOT_YET = re.compile(lexicon.NOT_YET)
_OBJECTS = {topic: compile_phrase(phrase) for topic, phrase in OBJECTS.items()}
_IMPACT = {priority: compile_table(table) for priority, table in IMPACT.items()}
_QUESTION_START = re.compile(
    r"^(?:\w+ )?(?:de|en|a|por|con|para|desde) (?:que|cual|cuales|quien|cuando|cuant[oa]s?|donde)(?!\w)|"
    r"^(?:\w+ )?(?:cual|cuales|cuant[oa]s?|quien)(?!\w)|"
    r"^(?:que|como|cuando|donde|what|which|how|when|where|who|why|any|qual|quando|onde|quem)(?!\w)"
)
_LAUGHS = re.compile(lexicon.LAUGHS)
_TO_ALL = re.compile(lexicon.TO_ALL)
_LAUGHING_EMOJI = re.compile("[😂🤣😆😹]")
_ASSENT_EMOJI = re.compile("[👍🙏👌🙌❤💪😊🤝✅👏🫡😀😁🎉☺🙂]")
_STOP = frozenset(lexicon.STOP.split())


class Category(NamedTuple):
    """A category of the bot, as the tiers need it."""

    name: str
    keywords: tuple[str, ...] = ()
    priority: Priority = Priority.MEDIUM
    description: str = ""


def judge(text: str, categories: Iterable[Category] = (), known_sites: frozenset[str] = frozenset()) -> Verdict:
    """The verdict of the keyword tier.

    Args:
        text: A message's text or caption as it was written.
        categories: The bot's categories, in the order of the spec.
        known_sites: Store numbers that the group has used before.
    """
    folded = fold(text)
    objects = {topic: len(set(pattern.findall(folded))) for topic, pattern in _OBJECTS.items()}
    signals, matched = _signals(folded, text, sum(objects.values()))
    numbers = find_numbers(folded, known_sites)
    topics = _categories(folded, tuple(categories), objects)
    return Verdict(
        signals=signals,
        kinds=_kinds(signals, numbers.sites or numbers.documents, len(folded)),
        category=max(topics, key=topics.__getitem__, default=None),
        categories=topics,
        priority=_priority(folded, len(numbers.sites)),
        sites=numbers.sites,
        documents=numbers.documents,
        bare_numbers=numbers.bare,
        tokens=_tokens(folded),
        length=len(strip_invisible(text)),
        language=_language(folded),
        matched=matched,
    )


def _signals(folded: str, text: str, objects: int) -> tuple[Signals, tuple[str, ...]]:
    calm = _without(_NO_PROBLEM, folded)
    texts = {"problem": calm, "request": _without(_NO_REQUEST, folded)}
    scores: dict[str, float] = {}
    hits: list[tuple[float, str]] = []
    covered = [False] * len(folded)
    resolved_at = 0
    for name, table in _TABLES.items():
        score, read = 0.0, texts.get(name, folded)
        for weight, pattern in table if _ANY[name].search(read) else ():
            match = _find(name, pattern, read)
            if match is None:
                continue
            if name == "resolution" and score == 0:
                resolved_at = match.start()
            score += weight if score == 0 else weight * 0.5
            hits.append((weight, match[0]))
            if name in {"greeting", "thanks", "small_talk"}:
                for found in pattern.finditer(folded):
                    covered[found.start() : found.end()] = [True] * len(found[0])
        scores[name] = min(score, 3.0)
    scores["object"] = min(3.0, 0.5 * objects)
    question = "?" in folded or bool(_QUESTION_START.match(folded))
    if scores["resolution"] and "?" in folded[resolved_at : resolved_at + 80]:
        scores["insistence"] = max(scores["insistence"], 1.5)
        scores["resolution"] = 0.0
    letters = [flag for flag, char in zip(covered, folded, strict=True) if char.isalnum()]
    courtesy = sum(letters) / len(letters) if letters else 1.0
    if not letters and "?" in folded:
        scores["insistence"], courtesy = 1.5, 0.0
    elif not letters and _ASSENT_EMOJI.search(text):
        scores["thanks"] = 1.0
    laughs = _laughs(folded, text)
    if laughs and len(words_of(folded)) > 6:
        scores["small_talk"] = 0.0  # The laughter is weighed by itself; the rest is not small talk for it.
    signals = Signals(
        **scores,
        courtesy=courtesy,
        question=question,
        asks_site=bool(_ASKS_SITE.search(folded)),
        negated=calm != folded,
        laughs=laughs,
        to_all=bool(_TO_ALL.match(folded)),
    )
    ranked = dict.fromkeys(word for _, word in sorted(hits, key=lambda hit: -hit[0]))
    return signals, tuple(word[:40] for word in ranked)[:8]


def _laughs(folded: str, text: str) -> float:
    match = _LAUGHS.search(folded)
    if match is not None and match.end() == len(folded) and match.start() > 25:
        return 0.3
    return 1.0 if match is not None or _LAUGHING_EMOJI.search(text) else 0.0


def _without(table: Compiled, folded: str) -> str:
    for _, pattern in table:
        folded = pattern.sub(" ; ", folded)
    return folded


def _find(name: str, pattern: re.Pattern[str], folded: str) -> re.Match[str] | None:
    match = pattern.search(folded)
    while match and name == "resolution" and _NOT_YET.search(folded[: match.start()]):
        match = pattern.search(folded, match.end())
    return match


def _kinds(s: Signals, numbers: tuple[str, ...], length: int) -> dict[Kind, float]:
    """Softmax over one linear score per kind, for a text that stands alone."""
    substance = 1.2 * min(s.problem, 2) + 1.2 * min(s.request, 2) + 0.4 * s.object + s.report + (0.5 if numbers else 0)
    scores = {
        Kind.INCIDENT: substance
        + min(length, 90) / 90
        - 1.0 * s.insistence
        - 1.2 * s.resolution
        - 0.8 * s.announcement
        - 0.7 * s.answer,
        Kind.FOLLOW_UP: 1.2 * s.insistence + 0.9 * s.detail + 1.0 * s.same_case + 0.6,
        Kind.RESOLUTION: 1.5 * s.resolution - 0.3 * s.problem,
        Kind.STAFF: 1.0 * s.answer + 0.3 * s.resolution,
        Kind.CHATTER: 3.0 * s.courtesy + 0.9 * s.small_talk + 1.2 * s.announcement + 0.5 - 0.5 * substance,
    }
    exponents = {kind: math.exp(1.3 * score) for kind, score in scores.items()}
    total = sum(exponents.values())
    return {kind: value / total for kind, value in exponents.items()}


@lru_cache(maxsize=64)
def _keyword_patterns(categories: tuple[Category, ...]) -> dict[str, tuple[re.Pattern[str], list[re.Pattern[str]]]]:
    """By category a pattern for any of its keywords, and one for each."""
    patterns = {}
    for category in categories:
        words = [re.escape(folded) for word in category.keywords if (folded := fold(word))]
        if words:
            any_word, *each = (
                re.compile(rf"(?<!\w){word}\w{{0,3}}(?!\w)") for word in (f"(?:{'|'.join(words)})", *words)
            )
            patterns[category.name] = any_word, each
    return patterns


def _categories(folded: str, categories: tuple[Category, ...], objects: Mapping[str, int]) -> dict[str, float]:
    """Points of the categories that anything speaks for: hits of own keywords and of the topics they stand for."""
    scores = dict.fromkeys((category.name for category in categories), 0.0)
    homes = _topic_homes(categories)
    for topic, hits in objects.items():
        if hits and (name := homes[topic]):
            scores[name] += TOPIC_WEIGHTS[topic] * min(hits, 3)
    for name, (any_word, each) in _keyword_patterns(categories).items():
        if any_word.search(folded):
            scores[name] += 0.8 * sum(1 for pattern in each if pattern.search(folded))
    return {name: round(score, 2) for name, score in scores.items() if score > 0}


@lru_cache(maxsize=64)
def _topic_homes(categories: tuple[Category, ...]) -> dict[str, str | None]:
    """Each topic's category: the first that has one of its names, in full or as a word of its name."""
    words = {category.name: {category.name, *re.split(r"[^a-z0-9]+", fold(category.name))} for category in categories}
    return {
        topic: next((name for wanted in wanted_names for name, has in words.items() if wanted in has), None)
        for topic, wanted_names in TOPIC_NAMES.items()
    }


def _priority(folded: str, sites: int) -> Priority | None:
    calm = _without(_NO_PROBLEM, folded)
    for priority, table in _IMPACT.items():
        if any(pattern.search(calm) for _, pattern in table):
            return Priority.URGENT if priority is Priority.HIGH and sites >= 3 else priority
    return None


def _tokens(folded: str) -> tuple[str, ...]:
    words = (word for word in words_of(folded) if len(word) > 2 and word not in _STOP and not word.isdigit())
    return tuple(dict.fromkeys(_stem(word) for word in words))[:24]


def _stem(word: str) -> str:
    """A rough stem: no plural, no final vowel, six letters; the same for "costo" and "costos"."""
    for ending in ("es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= (4 if ending == "es" else 3):
            word = word[: -len(ending)]
            break
    return (word[:-1] if word[-1] in "aeo" and len(word) > 4 else word)[:6]


def _language(folded: str) -> str | None:
    words = set(words_of(folded))
    counts = {language: len(words & markers) for language, markers in lexicon.LANGUAGE_MARKERS.items()}
    best = max(counts, key=counts.__getitem__)
    return best if counts[best] >= 2 or (counts[best] == 1 and len(words) <= 3) else None

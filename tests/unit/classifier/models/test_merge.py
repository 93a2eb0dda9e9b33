import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supportbot.classifier.models.merge import FLOOR, merge
from supportbot.classifier.models.request import Entities, Opinion, Request
from supportbot.classifier.verdict import INJECTION, MODEL_DISAGREES, NEEDS_REVIEW, Signals, Verdict
from supportbot.contracts import Kind, Priority, Tier

REQUEST = Request(
    system="",
    user="",
    schema={},
    offered={"I1": "i_one", "I2": "i_two"},
    turn_text="la 305 no imprime, <P2>",
    placeholders={"<P2>": "Mario", "<SECRET_1>": "Verano24"},
)
REQUEST_OF_STAFF = replace(REQUEST, solves=True)
OPINION = Opinion(
    evidence="la 305 no imprime",
    kind="incident",
    category="technical",
    language="es",
    priority="high",
    subject="La 305 no imprime <P2> <SECRET_1>",
    summary="",
    entities=Entities(site="305", device=None, error_code=None, system=None),
    follow_up_of=None,
    confidence=0.85,
    needs_review=False,
)


def opinion(kind: str = "incident", ref: str | None = None, **fields: Any) -> Opinion:
    return OPINION.model_copy(update={"kind": kind, "follow_up_of": ref, **fields})


def local(**kinds: float) -> Verdict:
    """A verdict of the local tier; what is left of 1 goes to the other kinds in equal parts."""
    names = {Kind(name): share for name, share in kinds.items()}
    rest = [kind for kind in Kind if kind not in names and kind is not Kind.EVIDENCE]
    shares: dict[Kind, float] = {**names, **dict.fromkeys(rest, (1 - sum(names.values())) / len(rest) if rest else 0.0)}
    return Verdict(kinds=shares, local=shares, tier=Tier.LOCAL, category="billing", bare_numbers=("305", "7781"))


def test_takes_the_models_fields_and_keeps_the_local_probabilities() -> None:
    before = local(incident=0.6)
    after = merge(before, OPINION, REQUEST)
    assert after.tier is Tier.MODEL
    assert after.local == before.kinds
    assert (after.category, after.priority, after.language) == ("technical", Priority.HIGH, "es")
    assert after.subject == "La 305 no imprime Mario •••"
    assert (after.sites, after.bare_numbers) == (("305",), ("7781",))
    assert after.signals == before.signals
    assert after.flags == ()


def test_agreement_raises_and_disagreement_lowers() -> None:
    alone = merge(Verdict(), OPINION, REQUEST).kinds[Kind.INCIDENT]
    agreed = merge(local(incident=0.8), OPINION, REQUEST).kinds[Kind.INCIDENT]
    opposed = merge(local(chatter=0.8), OPINION, REQUEST).kinds[Kind.INCIDENT]
    assert opposed < alone < agreed
    assert agreed > 0.95
    assert 0.5 < opposed < 0.75


def test_a_models_own_confidence_counts_little() -> None:
    sure, unsure = (
        merge(local(incident=0.5), opinion(confidence=value), REQUEST).kinds[Kind.INCIDENT] for value in (1.0, 0.5)
    )
    assert 0 < sure - unsure < 0.1


def test_neither_is_ever_certain() -> None:
    certain = merge(local(incident=1.0), opinion(confidence=1.0), REQUEST).kinds[Kind.INCIDENT]
    assert certain < 1.0
    overruled = merge(local(chatter=1.0), opinion(confidence=1.0), REQUEST).kinds
    assert overruled[Kind.INCIDENT] > FLOOR
    assert overruled[Kind.CHATTER] > FLOOR


@pytest.mark.parametrize(
    ("before", "kind", "flags"),
    [
        (local(chatter=0.9), "incident", (MODEL_DISAGREES,)),
        (local(incident=0.9), "chatter", (MODEL_DISAGREES,)),
        (local(chatter=0.5), "incident", ()),
        (local(incident=0.9), "incident", ()),
        (local(staff=0.5, follow_up=0.4), "follow_up", ()),
        (local(staff=0.5, follow_up=0.4), "chatter", (MODEL_DISAGREES,)),
        (Verdict(), "incident", ()),
    ],
)
def test_strong_disagreement_asks_a_person(before: Verdict, kind: str, flags: tuple[str, ...]) -> None:
    assert merge(before, opinion(kind), REQUEST).flags == flags


def test_the_model_may_ask_for_a_person_and_is_then_trusted_less() -> None:
    asking = merge(local(incident=0.5), opinion(needs_review=True), REQUEST)
    assert asking.flags == (NEEDS_REVIEW,)
    assert asking.kinds[Kind.INCIDENT] < merge(local(incident=0.5), OPINION, REQUEST).kinds[Kind.INCIDENT]


@pytest.mark.parametrize("kind", ["incident", "follow_up", "resolution", "chatter"])
def test_under_an_injection_the_words_alone_are_judged(kind: str) -> None:
    before = local(incident=0.5).model_copy(update={"flags": (INJECTION,)})
    after = merge(before, opinion(kind, "I1"), REQUEST)
    assert after == before.model_copy(update={"flags": after.flags, "local": before.kinds})
    assert after.flags[0] == INJECTION


def test_a_flagged_disagreement_is_named() -> None:
    before = local(chatter=0.9).model_copy(update={"flags": (INJECTION,)})
    assert merge(before, OPINION, REQUEST).flags == (INJECTION, MODEL_DISAGREES)


@pytest.mark.parametrize(("kind", "incident_id"), [("follow_up", "i_two"), ("resolution", "i_two"), ("incident", None)])
def test_names_the_offered_incident(kind: str, incident_id: str | None) -> None:
    assert merge(local(resolution=0.3), opinion(kind, "I2"), REQUEST).incident_id == incident_id


def test_what_goes_on_is_an_answer_when_its_author_solves() -> None:
    before = local(follow_up=0.6, staff=0.2)
    kinds = merge(before, opinion("follow_up", "I1"), REQUEST).kinds
    assert kinds[Kind.FOLLOW_UP] == pytest.approx(3 * kinds[Kind.STAFF])
    solving = merge(before, opinion("follow_up", "I1"), replace(REQUEST, solves=True)).kinds
    assert max(solving, key=solving.__getitem__) is Kind.STAFF
    assert Kind.FOLLOW_UP not in solving


def test_nobody_is_talked_into_an_end_that_the_words_do_not_tell() -> None:
    ending = opinion("resolution", "I1")
    unheard = local(follow_up=0.5, resolution=0.05)
    assert best(merge(unheard, ending, REQUEST)) is Kind.FOLLOW_UP
    assert best(merge(unheard, ending, replace(REQUEST, solves=True))) is Kind.RESOLUTION
    assert best(merge(local(follow_up=0.5, resolution=0.2), ending, REQUEST)) is Kind.RESOLUTION
    told = unheard.model_copy(update={"signals": Signals(resolution=1.0)})
    assert best(merge(told, ending, REQUEST)) is Kind.RESOLUTION


def best(verdict: Verdict) -> Kind:
    return max(verdict.kinds, key=verdict.kinds.__getitem__)


def test_another_language_keeps_that_of_the_words() -> None:
    before = local(incident=0.5).model_copy(update={"language": "pt"})
    assert merge(before, opinion(language="other"), REQUEST).language == "pt"


def test_without_a_subject_the_own_words_stand() -> None:
    assert merge(local(incident=0.5), opinion(subject=""), REQUEST).subject is None


@pytest.mark.parametrize("accuracy", [0.85, 0.9])
def test_probabilities_are_calibrated_when_the_model_is_as_good_as_it_is_taken_to_be(accuracy: float) -> None:
    """The model here is invented: right as often as given, always about as sure. Nothing is said of a real one."""
    chance = random.Random(7)
    names = ("incident", "follow_up", "resolution", "chatter")
    bins: list[list[tuple[float, bool]]] = [[] for _ in range(10)]
    for _ in range(4_000):
        weights = [chance.gammavariate(0.4, 1) + 0.001 for _ in names]
        shares = {Kind(name): weight / sum(weights) for name, weight in zip(names, weights, strict=True)}
        truth = chance.choices(names, weights)[0]
        said = truth if chance.random() < accuracy else chance.choice([name for name in names if name != truth])
        kinds = merge(Verdict(kinds=shares), opinion(said, "I1"), REQUEST_OF_STAFF).kinds
        kind, share = max(kinds.items(), key=lambda item: item[1])
        bins[min(9, int(10 * share))].append((share, kind.value.replace("staff", "follow_up") == truth))
    gaps = [abs(sum(share for share, _ in one) - sum(right for _, right in one)) for one in bins]
    assert sum(gaps) / 4_000 <= 0.05


@given(
    shares=st.dictionaries(st.sampled_from(Kind), st.floats(0.001, 1), min_size=1),
    kind=st.sampled_from(["incident", "follow_up", "resolution", "chatter"]),
    confidence=st.floats(0, 1),
    solves=st.booleans(),
)
def test_probabilities_add_up_to_one(shares: dict[Kind, float], kind: str, confidence: float, solves: bool) -> None:
    total = sum(shares.values())
    before = Verdict(kinds={name: share / total for name, share in shares.items()})
    kinds = merge(before, opinion(kind, "I1", confidence=confidence), replace(REQUEST, solves=solves)).kinds
    assert sum(kinds.values()) == pytest.approx(1)
    assert all(0 < share < 1 for share in kinds.values())

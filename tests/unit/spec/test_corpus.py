"""The pydantic model and the CRD give the same verdict on every spec: the corpus, and specs altered at random."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from tests.crd_judge import crd_judge
from tests.unit.spec.corpus import BAD, GOOD, altered_specs, document

from supportbot.spec import SpecError, load_bot, parse_bot

# Outside the tests: celpy raises Python's recursion limit when it compiles, which hypothesis warns of.
JUDGE = crd_judge()


def without_empty(value: object) -> object:
    """Without empty texts, lists and objects: the model fills them in where the API server leaves nothing."""
    if isinstance(value, dict):
        kept = {key: without_empty(item) for key, item in value.items()}
        return {key: item for key, item in kept.items() if item not in ({}, [], "")}
    return [without_empty(item) for item in value] if isinstance(value, list) else value


def test_corpus_is_there() -> None:
    assert len(GOOD) >= 12
    assert len(BAD) >= 45


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_good_spec_is_accepted_with_the_same_defaults(path: Path) -> None:
    assert JUDGE.refusals(document(path)) == []
    stored = JUDGE.defaulted(document(path))["spec"]
    spec = load_bot(path).spec.model_dump(mode="json", by_alias=True, exclude_none=True)
    if "categories" not in stored["classification"]:
        # The set that ships may grow with a release, so the CRD does not write it into the resource.
        del spec["classification"]["categories"]
    assert without_empty(spec) == without_empty(stored)


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_bad_spec_is_refused_at_the_same_place(path: Path) -> None:
    place, _, fragment = path.read_text().splitlines()[0].removeprefix("# ").partition(": ")
    with pytest.raises(SpecError) as refused:
        load_bot(path)
    assert [(fault.path, fragment in fault.message) for fault in refused.value.faults] == [(place, True)]
    assert {refusal.path for refusal in JUDGE.refusals(document(path))} == {place}


@given(changed=altered_specs())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_altered_spec_gets_one_verdict(changed: dict[str, Any]) -> None:
    assert accepted(changed) == (JUDGE.refusals(changed) == [])


def accepted(changed: dict[str, Any]) -> bool:
    try:
        parse_bot(changed, source="altered")
    except SpecError:
        return False
    return True

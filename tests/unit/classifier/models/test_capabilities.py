"""What may be sent to which model, and which models end."""

from datetime import date

import pytest

from supportbot.classifier.models.capabilities import capabilities_of, find_ending_models
from supportbot.cli.init import models as init_models
from supportbot.spec import Model, Provider

OPENAI, ANTHROPIC, GEMINI = Provider.OPENAI, Provider.ANTHROPIC, Provider.GEMINI
OWN = Provider.OPENAI_COMPATIBLE


def model(provider: Provider, name: str) -> Model:
    fields = {"provider": provider, "model": name, "apiKeySecretRef": {"name": "ai", "key": "key"}}
    return Model.model_validate(fields | {"baseURL": "http://models:8000/v1"})


@pytest.mark.parametrize(
    ("provider", "name", "temperature", "reasoning"),
    [
        (OPENAI, "gpt-4o-mini", True, {}),
        (OPENAI, "gpt-4o-mini-2024-07-18", True, {}),
        (OPENAI, "gpt-6-luna", False, {"reasoning_effort": "none"}),
        (OPENAI, "gpt-5.6-luna", True, {"reasoning_effort": "none"}),
        (OPENAI, "gpt-5-nano", False, {"reasoning_effort": "minimal"}),
        (OPENAI, "gpt-5.4-nano", False, {"reasoning_effort": "none"}),
        (OPENAI, "o3-mini-2025-01-31", False, {"reasoning_effort": "low"}),
        (OPENAI, "gpt-9-nova", False, {"reasoning_effort": "none"}),
        (ANTHROPIC, "claude-haiku-5-5", False, {"thinking": {"type": "disabled"}, "effort": "low"}),
        (ANTHROPIC, "claude-haiku-4-5-20251001", False, {"thinking": {"type": "disabled"}}),
        (GEMINI, "gemini-3.5-flash-lite", False, {"thinking_config": {"thinking_level": "MINIMAL"}}),
        (GEMINI, "models/gemini-3-pro-preview", False, {"thinking_config": {"thinking_level": "LOW"}}),
        (GEMINI, "gemini-2.5-flash", True, {"thinking_config": {"thinking_budget": 0}}),
        (OWN, "gpt-6-luna", True, {}),
        (OWN, "qwen3:8b", True, {}),
    ],
)
def test_what_a_model_takes(provider: Provider, name: str, temperature: bool, reasoning: dict[str, object]) -> None:
    known = capabilities_of(provider, name)
    assert (known.takes_temperature, known.reasoning) == (temperature, reasoning)


def test_the_limit_has_two_names() -> None:
    assert capabilities_of(OPENAI, "gpt-4o-mini").token_parameter == "max_completion_tokens"
    assert capabilities_of(OWN, "llama3.2").token_parameter == "max_tokens"


def test_a_name_goes_to_its_end_or_a_hyphen() -> None:
    """gpt-5 ends in 2026; gpt-5.6-luna, which begins the same, does not."""
    assert capabilities_of(OPENAI, "gpt-5-mini").last_day == date(2026, 12, 11)
    assert capabilities_of(OPENAI, "gpt-5.6-luna").last_day is None
    assert capabilities_of(OPENAI, "gpt-4o").last_day == date(2027, 1, 14)
    assert capabilities_of(OPENAI, "gpt-4o-2024-05-13").last_day == date(2026, 10, 23)


LAST = date(2027, 1, 14)


@pytest.mark.parametrize(
    ("today", "sentence"),
    [
        (date(2026, 11, 14), None),
        (date(2026, 11, 15), "OpenAI model gpt-4o-mini is served until 2027-01-14: put gpt-6-luna in its place"),
        (LAST, "OpenAI model gpt-4o-mini is served until 2027-01-14: put gpt-6-luna in its place"),
        (date(2027, 1, 15), "OpenAI model gpt-4o-mini was served until 2027-01-14: put gpt-6-luna in its place"),
    ],
)
def test_an_end_is_told_sixty_days_before(today: date, sentence: str | None) -> None:
    ending = find_ending_models([model(OPENAI, "gpt-4o-mini"), model(GEMINI, "gemini-3.5-flash-lite")], today)
    assert [one.sentence for one in ending] == ([f"{sentence} in spec.models"] if sentence else [])
    assert [one.is_over for one in ending] == ([today > LAST] if sentence else [])


def test_what_is_long_gone_needs_no_date() -> None:
    [ending] = find_ending_models([model(ANTHROPIC, "claude-3-haiku-20240307")], date(2026, 11, 25))
    told = (
        "Anthropic model claude-3-haiku-20240307 is no longer served: put claude-haiku-5-5 in its place in spec.models"
    )
    assert (ending.sentence, ending.is_over) == (told, True)


def test_each_model_is_told_once_in_the_order_of_the_chain() -> None:
    chain = [model(GEMINI, "gemini-2.5-flash"), model(OPENAI, "gpt-5-nano"), model(GEMINI, "gemini-2.5-flash")]
    found = [one.model for one in find_ending_models(chain, date(2026, 11, 25))]
    assert found == ["gemini-2.5-flash", "gpt-5-nano"]


def test_a_self_hosted_model_never_ends() -> None:
    assert find_ending_models([model(OWN, "gpt-4o-mini"), model(OWN, "claude-2")], date(2030, 1, 1)) == ()


def test_init_tells_the_same_days() -> None:
    for prefix, last in init_models._SWITCHED_OFF.items():
        provider = next(one for start, one in init_models._PREFIXES.items() if prefix.startswith(start))
        if last is not None:
            known = capabilities_of(provider, prefix)
            assert (prefix, known.last_day, known.successor) == (prefix, last, init_models.SUGGESTED[provider])

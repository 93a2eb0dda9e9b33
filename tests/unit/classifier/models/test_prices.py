"""What calls cost: the table's arithmetic, and that nothing is guessed."""

from datetime import date

import pytest

from supportbot.classifier.models.prices import AS_OF, PRICES, SOURCE, Price, cost_usd, price_of
from supportbot.classifier.models.request import Usage
from supportbot.spec import Provider


@pytest.mark.parametrize(
    ("provider", "model", "usage", "expected"),
    [
        # The worked examples of the vendors' pages: 1,000 messages of 1,600 and 140 tokens.
        (Provider.OPENAI, "gpt-4o-mini", Usage(1_600_000, 140_000), 0.324),
        (Provider.OPENAI, "gpt-6-luna", Usage(1_600_000, 140_000), 0.230),
        (Provider.OPENAI, "gpt-6-luna", Usage(1_600_000, 100_000, cached_tokens=1_400_000), 0.084),
        (Provider.ANTHROPIC, "claude-haiku-5-5", Usage(1_600_000, 100_000, cached_tokens=1_400_000), 0.084),
        (Provider.ANTHROPIC, "claude-haiku-4-5", Usage(1_600_000, 140_000), 2.30),
        (Provider.GEMINI, "gemini-3.5-flash-lite", Usage(1_600_000, 140_000), 0.83),
        (Provider.OPENAI, "gpt-6-luna", Usage(0, 0), 0.0),
        # A vendor that counts more cached than there was input gets no money back.
        (Provider.OPENAI, "gpt-6-luna", Usage(1_000_000, 0, cached_tokens=5_000_000), 0.01),
    ],
)
def test_cost_of_a_call(provider: Provider, model: str, usage: Usage, expected: float) -> None:
    price = price_of(provider, model)
    assert price is not None
    assert cost_usd(price, usage) == pytest.approx(expected, abs=0.0005)


@pytest.mark.parametrize(
    ("provider", "model", "same_as"),
    [
        (Provider.OPENAI, "gpt-4o-mini-2024-07-18", "gpt-4o-mini"),
        (Provider.ANTHROPIC, "claude-haiku-4-5-20251001", "claude-haiku-4-5"),
        (Provider.GEMINI, "models/gemini-3.5-flash-lite", "gemini-3.5-flash-lite"),
        (Provider.OPENAI, "GPT-6-Luna", "gpt-6-luna"),
    ],
)
def test_a_snapshot_costs_what_its_model_costs(provider: Provider, model: str, same_as: str) -> None:
    assert price_of(provider, model) == PRICES[provider][same_as]


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        (Provider.OPENAI, "gpt-6-luna-pro"),
        (Provider.OPENAI, "gpt-6"),
        (Provider.OPENAI, "claude-haiku-5-5"),
        (Provider.OPENAI_COMPATIBLE, "gpt-6-luna"),
        (Provider.GEMINI, ""),
    ],
)
def test_no_price_is_guessed(provider: Provider, model: str) -> None:
    assert price_of(provider, model) is None


def test_the_table_says_of_when_and_from_where_it_is() -> None:
    assert date(2026, 1, 1) < AS_OF
    assert SOURCE
    prices = [price for models in PRICES.values() for price in models.values()]
    assert all(0 < price.cached <= price.input <= price.output for price in prices), prices
    assert {type(price) for price in prices} == {Price}

"""What a call costs: one dated table of the vendors' list prices. Pure.

A model that is not in the table has no known cost: its tokens are counted, and never a guessed price.
"""

import re
from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from supportbot.classifier.models.request import Usage
from supportbot.spec import Provider

AS_OF = date(2026, 11, 25)
SOURCE = "list prices of OpenAI, Anthropic and Google for single calls, as collected in genai-prices 0.2.3"
"""Without discounts, batches, priority tiers, surcharges for very long prompts and for writing into a cache."""


class Price(NamedTuple):
    """USD per million tokens."""

    input: float
    cached: float
    """For input that the vendor had in its cache."""
    output: float
    """Thinking included."""


PRICES: Mapping[Provider, Mapping[str, Price]] = {
    Provider.OPENAI: {
        "gpt-4o": Price(2.50, 1.25, 10.00),
        "gpt-4o-mini": Price(0.15, 0.075, 0.60),
        "gpt-4.1": Price(2.00, 0.50, 8.00),
        "gpt-4.1-mini": Price(0.40, 0.10, 1.60),
        "gpt-5": Price(1.25, 0.125, 10.00),
        "gpt-5-mini": Price(0.25, 0.025, 2.00),
        "gpt-5-nano": Price(0.05, 0.005, 0.40),
        "gpt-5.1": Price(1.25, 0.125, 10.00),
        "gpt-5.2": Price(1.75, 0.175, 14.00),
        "gpt-5.4": Price(2.50, 0.25, 15.00),
        "gpt-5.4-mini": Price(0.75, 0.075, 4.50),
        "gpt-5.4-nano": Price(0.20, 0.02, 1.25),
        "gpt-5.5": Price(5.00, 0.50, 30.00),
        "gpt-5.6-luna": Price(0.20, 0.02, 1.20),
        "gpt-5.6-terra": Price(2.00, 0.20, 12.00),
        "gpt-5.6-sol": Price(4.00, 0.40, 20.00),
        "gpt-6-luna": Price(0.10, 0.01, 0.50),
        "gpt-6-sol": Price(2.00, 0.20, 10.00),
        "gpt-6.1-terra": Price(1.00, 0.05, 5.00),
        "gpt-6.1-sol": Price(2.00, 0.10, 10.00),
    },
    Provider.ANTHROPIC: {
        "claude-haiku-4-5": Price(1.00, 0.10, 5.00),
        "claude-haiku-5-5": Price(0.10, 0.01, 0.50),
        "claude-sonnet-4-5": Price(3.00, 0.30, 15.00),
        "claude-sonnet-4-6": Price(3.00, 0.30, 15.00),
        "claude-sonnet-5": Price(2.00, 0.20, 10.00),
        "claude-sonnet-5-5": Price(2.00, 0.10, 10.00),
        "claude-opus-4-5": Price(5.00, 0.50, 25.00),
        "claude-opus-5": Price(5.00, 0.50, 25.00),
        "claude-opus-5-5": Price(4.00, 0.20, 20.00),
    },
    Provider.GEMINI: {
        "gemini-2.5-flash": Price(0.30, 0.03, 2.50),
        "gemini-2.5-flash-lite": Price(0.10, 0.01, 0.40),
        "gemini-2.5-pro": Price(1.25, 0.125, 10.00),
        "gemini-3.1-flash-lite": Price(0.25, 0.025, 1.50),
        "gemini-3.1-pro-preview": Price(2.00, 0.20, 12.00),
        "gemini-3.5-flash": Price(1.50, 0.15, 9.00),
        "gemini-3.5-flash-lite": Price(0.30, 0.03, 2.50),
        "gemini-3.6-flash": Price(0.75, 0.075, 3.75),
        "gemini-3.7-flash": Price(0.75, 0.075, 3.75),
        "gemini-3.8-flash": Price(0.75, 0.075, 3.75),
    },
    Provider.OPENAI_COMPATIBLE: {},
}
"""By the exact name. Who serves an OpenAI-compatible API sets prices of their own, so none is known."""

_SNAPSHOT = re.compile(r"-(?:20\d{2}-\d{2}-\d{2}|20\d{6})\Z")
"""The date of a snapshot, which costs what its model costs: `gpt-4o-mini-2024-07-18`, `claude-haiku-4-5-20251001`."""


def price_of(provider: Provider, model: str) -> Price | None:
    """The price of a model of the spec; None when it is not known."""
    name = model.rpartition("/")[2].lower()
    return PRICES[provider].get(_SNAPSHOT.sub("", name))


def cost_usd(price: Price, usage: Usage) -> float:
    """What a call costs by the table, in USD."""
    cached = min(usage.cached_tokens, usage.input_tokens)
    fresh = usage.input_tokens - cached
    return (fresh * price.input + cached * price.cached + usage.output_tokens * price.output) / 1_000_000

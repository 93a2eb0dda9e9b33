"""The models that the emulated vendors serve, and what each takes: vendors' documents as of November 2026."""

from collections.abc import Mapping
from dataclasses import dataclass

_EFFORTS = frozenset({"low", "medium", "high"})


@dataclass(frozen=True, kw_only=True)
class OpenAIModel:
    """What an OpenAI model takes."""

    efforts: frozenset[str] = frozenset()
    """Of `reasoning_effort`; empty for models without reasoning."""
    takes_temperature: bool = True
    """Models that reason take one, if at all, only with effort none."""
    takes_max_tokens: bool = True
    """The old name of `max_completion_tokens`."""


OPENAI: Mapping[str, OpenAIModel] = {
    "gpt-4o-mini": OpenAIModel(),
    "gpt-5-nano": OpenAIModel(efforts=_EFFORTS | {"minimal"}, takes_temperature=False, takes_max_tokens=False),
    "gpt-5.6-luna": OpenAIModel(efforts=_EFFORTS | {"none"}, takes_max_tokens=False),
    "gpt-6-luna": OpenAIModel(efforts=_EFFORTS | {"none"}, takes_temperature=False, takes_max_tokens=False),
}


@dataclass(frozen=True, kw_only=True)
class AnthropicModel:
    """What an Anthropic model takes."""

    takes_effort: bool = True
    cache_tokens: int = 512
    """A system text of fewer tokens is not cached."""


ANTHROPIC: Mapping[str, AnthropicModel] = {
    "claude-haiku-4-5": AnthropicModel(takes_effort=False, cache_tokens=4096),
    "claude-haiku-5-5": AnthropicModel(),
    "claude-sonnet-5-5": AnthropicModel(cache_tokens=1024),
}


@dataclass(frozen=True, kw_only=True)
class GeminiModel:
    """What a Gemini model takes."""

    levels: frozenset[str] = frozenset({"MINIMAL", "LOW", "MEDIUM", "HIGH"})
    """Of `thinkingLevel`; empty for models that take a `thinkingBudget` instead."""


GEMINI: Mapping[str, GeminiModel] = {
    "gemini-2.5-flash": GeminiModel(levels=frozenset()),
    "gemini-3-pro": GeminiModel(levels=frozenset({"LOW", "HIGH"})),
    "gemini-3.1-flash-lite": GeminiModel(),
    "gemini-3.5-flash-lite": GeminiModel(),
}

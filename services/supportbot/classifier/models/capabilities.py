"""What each model takes, and until when it is served: one table, by the beginning of the model's name. Pure.

The dates are the vendors' announcements as of November 2026 (OpenAI's and Anthropic's stand in their SDKs as well).
A model that is not in the table gets its provider's usual parameters; what its server then refuses is left out.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from supportbot.spec import Model, Provider

WARN_BEFORE = timedelta(days=60)
"""So long before a model's last day its end is told."""

_OPENAI_NEXT, _ANTHROPIC_NEXT, _GEMINI_NEXT = "gpt-6-luna", "claude-haiku-5-5", "gemini-3.5-flash-lite"
_LONG_GONE = date.min
"""The last day of models that were switched off so long ago that the day does not matter."""


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """What may be sent to a model."""

    takes_temperature: bool = False
    reasoning: Mapping[str, Any] = field(default_factory=dict)
    """The vendor's parameters that turn reasoning off or as low as it goes; empty for models that take none."""
    token_parameter: str = "max_completion_tokens"  # noqa: S105 - tokens of text.
    """The name of the limit on the answer; only OpenAI and servers like it have two."""
    takes_cache_key: bool = False
    """Whether calls with the same beginning may be marked as such (OpenAI's `prompt_cache_key`)."""
    last_day: date | None = None
    """The last day on which the vendor serves it, where one was announced."""
    successor: str | None = None
    """What the vendor names in its place."""


_PLAIN = Capabilities(takes_temperature=True, takes_cache_key=True)
_EFFORT_NONE = Capabilities(reasoning={"reasoning_effort": "none"}, takes_cache_key=True)
_EFFORT_MINIMAL = Capabilities(reasoning={"reasoning_effort": "minimal"}, takes_cache_key=True)
_EFFORT_LOW = Capabilities(reasoning={"reasoning_effort": "low"}, takes_cache_key=True)
_SELF_HOSTED = Capabilities(takes_temperature=True, token_parameter="max_tokens")  # noqa: S106

_THINKING_OFF = Capabilities(reasoning={"thinking": {"type": "disabled"}})
_THINKING_OFF_LOW_EFFORT = Capabilities(reasoning={"thinking": {"type": "disabled"}, "effort": "low"})

_LEVEL_MINIMAL = Capabilities(reasoning={"thinking_config": {"thinking_level": "MINIMAL"}})
_LEVEL_LOW = Capabilities(reasoning={"thinking_config": {"thinking_level": "LOW"}})
_BUDGET_ZERO = Capabilities(takes_temperature=True, reasoning={"thinking_config": {"thinking_budget": 0}})


def _until(capabilities: Capabilities, year: int, month: int, day: int, successor: str) -> Capabilities:
    return replace(capabilities, last_day=date(year, month, day), successor=successor)


def _gone(capabilities: Capabilities, successor: str) -> Capabilities:
    return replace(capabilities, last_day=_LONG_GONE, successor=successor)


_TABLE: Mapping[Provider, Mapping[str, Capabilities]] = {
    Provider.OPENAI: {
        "gpt-3.5": _until(_PLAIN, 2026, 10, 23, _OPENAI_NEXT),
        "gpt-4": _until(_PLAIN, 2026, 10, 23, _OPENAI_NEXT),
        "gpt-4o": _until(_PLAIN, 2027, 1, 14, _OPENAI_NEXT),
        "gpt-4o-2024-05-13": _until(_PLAIN, 2026, 10, 23, _OPENAI_NEXT),
        "gpt-4.1": _until(_PLAIN, 2027, 1, 14, _OPENAI_NEXT),
        "gpt-4.1-nano": _until(_PLAIN, 2026, 10, 23, _OPENAI_NEXT),
        "chatgpt-4o": _until(_PLAIN, 2026, 2, 17, _OPENAI_NEXT),
        "gpt-5": _until(_EFFORT_MINIMAL, 2026, 12, 11, _OPENAI_NEXT),
        "gpt-5-chat": _until(_PLAIN, 2026, 7, 23, _OPENAI_NEXT),
        "gpt-5.1-chat": _until(_PLAIN, 2026, 7, 23, _OPENAI_NEXT),
        "gpt-5.2-chat": _until(_PLAIN, 2026, 8, 10, _OPENAI_NEXT),
        "gpt-5.3-chat": _until(_PLAIN, 2026, 8, 10, _OPENAI_NEXT),
        "gpt-5.1": _until(_EFFORT_NONE, 2027, 4, 1, _OPENAI_NEXT),
        "gpt-5.4-nano": _until(_EFFORT_NONE, 2027, 4, 1, _OPENAI_NEXT),
        "o1": _until(_EFFORT_LOW, 2026, 10, 23, _OPENAI_NEXT),
        "o3": _until(_EFFORT_LOW, 2026, 12, 11, _OPENAI_NEXT),
        "o3-mini": _until(_EFFORT_LOW, 2026, 10, 23, _OPENAI_NEXT),
        "o4-mini": _until(_EFFORT_LOW, 2026, 10, 23, _OPENAI_NEXT),
        # With effort none it takes a temperature (reported); gpt-6 is said to take none.
        "gpt-5.6": replace(_EFFORT_NONE, takes_temperature=True),
        "": _EFFORT_NONE,
    },
    Provider.ANTHROPIC: {
        "claude-instant": _gone(_THINKING_OFF, _ANTHROPIC_NEXT),
        "claude-2": _gone(_THINKING_OFF, _ANTHROPIC_NEXT),
        "claude-2.1": _gone(_THINKING_OFF, _ANTHROPIC_NEXT),
        "claude-3": _gone(_THINKING_OFF, _ANTHROPIC_NEXT),
        "claude-haiku-4-5": _THINKING_OFF,
        "claude-sonnet-4-5": _until(_THINKING_OFF, 2026, 11, 30, "claude-sonnet-5-5"),
        "claude-opus-4-5": _until(_THINKING_OFF_LOW_EFFORT, 2027, 1, 22, "claude-opus-5-5"),
        "claude-mythos-preview": _until(_THINKING_OFF_LOW_EFFORT, 2026, 6, 30, _ANTHROPIC_NEXT),
        "": _THINKING_OFF_LOW_EFFORT,
    },
    Provider.GEMINI: {
        "gemini-pro": _gone(Capabilities(takes_temperature=True), _GEMINI_NEXT),
        "gemini-1.0": _gone(Capabilities(takes_temperature=True), _GEMINI_NEXT),
        "gemini-1.5": _gone(Capabilities(takes_temperature=True), _GEMINI_NEXT),
        "gemini-2.0": _gone(Capabilities(takes_temperature=True), _GEMINI_NEXT),
        # Google says "November 2026", without the day.
        "gemini-2.5-flash": _until(_BUDGET_ZERO, 2026, 11, 30, _GEMINI_NEXT),
        "gemini-2.5-pro": _until(Capabilities(takes_temperature=True), 2026, 11, 30, _GEMINI_NEXT),
        "gemini-3-pro": _LEVEL_LOW,
        "gemini-3.1-pro": _LEVEL_LOW,
        "gemini-3.1-flash-lite": _until(_LEVEL_MINIMAL, 2027, 5, 7, _GEMINI_NEXT),
        "": _LEVEL_MINIMAL,
    },
    Provider.OPENAI_COMPATIBLE: {"": _SELF_HOSTED},
}
"""By the beginning of the name, up to its end or a hyphen: `gpt-5` is not the beginning of `gpt-5.6-luna`."""


def capabilities_of(provider: Provider, model: str) -> Capabilities:
    """What may be sent to this model: the longest matching row of the table.

    Args:
        provider: Who serves it.
        model: Its name in the spec; a path in front, as in `models/gemini-3.5-flash-lite`, does not count.
    """
    name = model.rpartition("/")[2].lower()
    rows = _TABLE[provider]
    return rows[max((prefix for prefix in rows if _begins(name, prefix)), key=len)]


def _begins(name: str, prefix: str) -> bool:
    return not prefix or name == prefix or name.startswith((f"{prefix}-", f"{prefix}@"))


@dataclass(frozen=True)
class EndingModel:
    """A model of the spec that the vendor has switched off or soon will."""

    provider: Provider
    model: str
    last_day: date
    successor: str
    is_over: bool
    """Its last day is past."""

    @property
    def sentence(self) -> str:
        """What is up and what to do, for people."""
        told = f"is served until {self.last_day}"
        if self.is_over:
            told = "is no longer served" if self.last_day == _LONG_GONE else f"was served until {self.last_day}"
        return f"{self.provider} model {self.model} {told}: put {self.successor} in its place in spec.models"


def find_ending_models(models: Iterable[Model], today: date) -> tuple[EndingModel, ...]:
    """Those of the models whose last day is past or at most 60 days away, in their order, each once.

    Args:
        models: The chain of a spec.
        today: The day in UTC.
    """
    found: dict[tuple[Provider, str], EndingModel] = {}
    for model in models:
        known = capabilities_of(model.provider, model.model)
        if known.last_day and known.successor and known.last_day <= today + WARN_BEFORE:
            found[model.provider, model.model] = EndingModel(
                provider=model.provider,
                model=model.model,
                last_day=known.last_day,
                successor=known.successor,
                is_over=today > known.last_day,
            )
    return tuple(found.values())

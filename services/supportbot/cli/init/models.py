"""Model names, old and new: which provider serves them, and what follows those that are switched off.

The dates are the vendors' announcements as of November 2026. A bot's spec may name any model; this is only for init.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from supportbot.spec import Provider

SUGGESTED: Mapping[Provider, str] = {
    Provider.OPENAI: "gpt-6-luna",
    Provider.GEMINI: "gemini-3.5-flash-lite",
    Provider.ANTHROPIC: "claude-haiku-5-5",
}
"""What a new bot is offered, and what follows a model that is switched off."""

_PROVIDER_WORDS: Mapping[str, tuple[Provider, str]] = {
    "openai": (Provider.OPENAI, "gpt-4o-mini"),
    "gpt": (Provider.OPENAI, "gpt-4o-mini"),
    "chatgpt": (Provider.OPENAI, "gpt-4o-mini"),
    "google": (Provider.GEMINI, "gemini-3.5-flash-lite"),
    "gemini": (Provider.GEMINI, "gemini-3.5-flash-lite"),
    "anthropic": (Provider.ANTHROPIC, "claude-haiku-5-5"),
    "claude": (Provider.ANTHROPIC, "claude-haiku-5-5"),
}
"""A value that names only the provider, and the model that the earlier generation then used, where it still exists."""

_PREFIXES: Mapping[str, Provider] = {
    "gpt-": Provider.OPENAI,
    "chatgpt-": Provider.OPENAI,
    "o1": Provider.OPENAI,
    "o3": Provider.OPENAI,
    "o4": Provider.OPENAI,
    "gemini-": Provider.GEMINI,
    "claude-": Provider.ANTHROPIC,
}

_SWITCHED_OFF: Mapping[str, date | None] = {
    "gpt-4o-mini": date(2027, 1, 14),
    "gpt-5-nano": date(2026, 12, 11),
    "gpt-5.4-nano": date(2027, 4, 1),
    "claude-instant": None,
    "claude-2": None,
    "claude-3": None,
    "gemini-pro": None,
    "gemini-1": None,
    "gemini-2": None,
    "gemini-3.1-flash-lite": date(2027, 5, 7),
}
"""Prefixes of models that end, with their last day; None where it is past."""


@dataclass(frozen=True)
class KnownModel:
    """A model for the spec."""

    provider: Provider
    model: str
    note: str | None = None
    """What was changed, or has to be changed soon."""


def find_model(value: str, *, today: date) -> KnownModel | None:
    """The model that a setting of the earlier generation means: a provider's word or a model's name.

    Args:
        value: Such as `openai`, `gpt-4o-mini`, `models/gemini-pro` or `anthropic/claude-3-haiku`.
        today: Decides which models are switched off.

    Returns:
        None when nothing says whose model it is.
    """
    name = value.strip().lower().rpartition("/")[2]
    if name in _PROVIDER_WORDS:
        provider, model = _PROVIDER_WORDS[name]
    else:
        model = name
        served = [provider for prefix, provider in _PREFIXES.items() if name.startswith(prefix)]
        if not served:
            return None
        provider = served[0]
    return _alive(provider, model, today)


def _alive(provider: Provider, model: str, today: date) -> KnownModel:
    ends = [(prefix, last) for prefix, last in _SWITCHED_OFF.items() if model.startswith(prefix)]
    if not ends:
        return KnownModel(provider, model)
    _, last = max(ends, key=lambda end: len(end[0]))
    successor = SUGGESTED[provider]
    if last is None or today > last:
        return KnownModel(provider, successor, f"{model} is no longer served; replaced by {successor}")
    return KnownModel(provider, model, f"{model} is served until {last}; {successor} is to follow it")

"""The models of a spec as links of a chain: each with its provider, its breaker, its price and its names."""

import hashlib
import math
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from supportbot.breaker import Breaker, BreakerPolicy
from supportbot.classifier.models.port import Provider
from supportbot.classifier.models.prices import Price, price_of
from supportbot.spec import Model, Models
from supportbot.spec import Provider as Vendor

POLICY: Final = BreakerPolicy(
    window_s=30.0, failure_ratio=math.inf, max_failures=5, max_run=3, open_s=30.0, max_open_s=300.0, probe_s=10.0
)
"""Of every model: five failures in 30 s or three in a row open for 30 s, doubling to 5 minutes."""

_WORDS: Final = {
    Vendor.OPENAI: "openai",
    Vendor.ANTHROPIC: "anthropic",
    Vendor.GEMINI: "gemini",
    Vendor.OPENAI_COMPATIBLE: "openai-compatible",
}


@dataclass(frozen=True, kw_only=True)
class Link:
    """One model of the chain."""

    spec: Model
    name: str
    """In logs, health and the bot's status: `openai/gpt-6-luna`."""
    provider: Provider
    breaker: Breaker
    price: Price | None = None
    """None where it is not known."""

    @property
    def vendor(self) -> str:
        """The word for who serves it, in names and metrics."""
        return _WORDS[self.spec.provider]


def make_links(
    models: Models,
    read_key: Callable[[Model], str | None],
    make_provider: Callable[[Model, str | None], Provider],
    *,
    clock: Callable[[], float] = time.time,
) -> tuple[Link, ...]:
    """The links of a spec's chain, in its order.

    Args:
        models: Of the spec.
        read_key: Gives the API key of a model; None where the spec names none.
        make_provider: Gives the provider of a model and its key.
        clock: Unix time in seconds.
    """
    links: list[Link] = []
    for model in models.chain:
        name = f"{_WORDS[model.provider]}/{model.model}"
        same = sum(link.spec.provider is model.provider and link.spec.model == model.model for link in links)
        name = f"{name} #{same + 1}" if same else name
        api_key = read_key(model)
        links.append(
            Link(
                spec=model,
                name=name,
                provider=make_provider(model, api_key),
                breaker=Breaker(name, key=breaker_key(model, api_key), policy=POLICY, clock=clock),
                price=price_of(model.provider, model.model),
            )
        )
    return tuple(links)


def breaker_key(model: Model, api_key: str | None) -> str:
    """Where a model's breaker is in the bucket: `model.` and one token of letters, digits and hyphens.

    The names of models may hold anything; the hash tells apart what the readable part does not. The server and the API
    key go into it, so that a new key is tried at once although the old one was refused.
    """
    identity = (model.provider.value, model.base_url or "", model.model, api_key or "")
    digest = hashlib.sha256("\0".join(identity).encode()).hexdigest()[:12]
    readable = re.sub(r"[^A-Za-z0-9]+", "-", f"{_WORDS[model.provider]}-{model.model}")[:48].strip("-")
    return f"model.{readable}-{digest}"

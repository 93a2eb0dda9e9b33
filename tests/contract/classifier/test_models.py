"""The classifier as a process with the real SDKs of three emulated vendors: chain, health, budget, and its time."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.contract.classifier.test_service import BODY, start

from supportbot.bus import Bus
from supportbot.classifier.models.budget import Used
from supportbot.emulators.models.server import EmulatedModels
from supportbot.nats_server import EmbeddedServer
from supportbot.topology import Bucket

pytestmark = [pytest.mark.nats, pytest.mark.slow]

OPENAI, ANTHROPIC, GEMINI = "openai/gpt-6-luna", "anthropic/claude-haiku-5-5", "gemini/gemini-3.5-flash-lite"


@pytest.fixture
def vendors() -> Iterator[EmulatedModels]:
    with EmulatedModels() as served:
        yield served


def make_models(vendors: EmulatedModels, *names: str, **more: Any) -> dict[str, Any]:
    """The spec's models."""
    words = {"openai": "OpenAI", "anthropic": "Anthropic", "gemini": "Gemini"}
    chain = []
    for vendor, _, model in (name.partition("/") for name in names):
        ref = {"name": "ai", "key": vendor}
        address = vendors.base_url(words[vendor])
        chain.append({"provider": words[vendor], "model": model, "baseURL": address, "apiKeySecretRef": ref})
    return {"primary": chain[0], "fallbacks": chain[1:], **more}


async def classify(http: httpx.AsyncClient) -> tuple[str, bool, float]:
    """The tier that decided, whether it was degraded, and the seconds that the classifier took."""
    answer = (await http.post("/classify", json=BODY)).json()
    return answer["tier"], answer["degraded"], answer["processing_time"]


async def read_models(http: httpx.AsyncClient) -> tuple[str, str, list[str]]:
    """State and reason of the check, and the models that would be asked."""
    health = (await http.get("/health")).json()
    check = health["checks"]["models"]
    return check["state"], check["reason"], health["models_available"]


async def test_the_chain_goes_on_and_says_so(
    bus: Bus, nats_server: EmbeddedServer, vendors: EmulatedModels, tmp_path: Path
) -> None:
    models = make_models(vendors, OPENAI, ANTHROPIC, GEMINI)
    async with start(tmp_path, bus.bot, nats_server.url, **models) as (_, http):
        assert await read_models(http) == ("ok", "PrimaryAvailable", [OPENAI, ANTHROPIC, GEMINI])
        assert (await classify(http))[:2] == ("model", False)
        vendors.queue("status", vendor="openai", status=401, times=None)
        assert (await classify(http))[:2] == ("model", False)
        assert await read_models(http) == ("degraded", "FallbackInUse", [ANTHROPIC, GEMINI])
        health = (await http.get("/health")).json()
        assert health["active_model"] == ANTHROPIC
        assert f"{OPENAI} is left alone until" in health["checks"]["models"]["message"]
        assert "check the API key" in health["checks"]["models"]["message"]
        vendors.queue("status", status=429, headers={"retry-after": "600"}, times=None)
        tier, degraded, _ = await classify(http)
        assert (tier in {"local", "keywords"}, degraded) == (True, True)
        assert await read_models(http) == ("down", "AllFailing", [])
        calls = len(vendors.journal)
        took_s = sorted([(await classify(http))[2] for _ in range(60)])
        assert len(vendors.journal) == calls, "nobody is asked while all are left alone"
        assert took_s[56] <= 0.05, took_s
        await until_shared(bus, 3)
    log = (tmp_path / "service.log").read_text()
    assert log.count('"event": "model_failed"') == 3
    assert "impresora" not in log


async def until_shared(bus: Bus, count: int) -> None:
    """Until so many breakers are in the bucket."""
    bucket = await bus.bucket(Bucket.BREAKERS)
    for _ in range(200):
        if len(await bucket.keys("model.")) == count:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the breakers were not shared")


async def test_a_hanging_model_costs_at_most_six_seconds_the_first_time(
    bus: Bus, nats_server: EmbeddedServer, vendors: EmulatedModels, tmp_path: Path
) -> None:
    models = make_models(vendors, OPENAI, GEMINI)
    async with start(tmp_path, bus.bot, nats_server.url, **models) as (_, http):
        vendors.queue("hang", vendor="openai", times=None)
        took_s = [await classify(http) for _ in range(4)]
    assert [one[:2] for one in took_s] == [("model", False)] * 4
    assert [3.4 <= one[2] <= 6.0 for one in took_s] == [True, True, True, False], took_s
    assert took_s[3][2] <= 1.0, "after three the model is left alone"


async def test_at_the_end_of_the_budget_the_local_tier_goes_on_alone(
    bus: Bus, nats_server: EmbeddedServer, vendors: EmulatedModels, tmp_path: Path
) -> None:
    models = make_models(vendors, OPENAI, dailyBudget={"usd": "0.01", "tokens": 10})
    async with start(tmp_path, bus.bot, nats_server.url, **models) as (_, http):
        assert (await classify(http))[:2] == ("model", False)
        for _ in range(3):
            assert (await classify(http))[1], "degraded"
        assert await read_models(http) == ("degraded", "BudgetSpent", [])
        assert len(vendors.journal) == 1
        bucket = await bus.bucket(Bucket.USAGE)
        counts: list[Used] = []
        for _ in range(400):
            counts = [Used.parse(entry.value) for entry in (await bucket.items()).values()]
            if counts:
                break
            await asyncio.sleep(0.05)
        assert [used.tokens > 100 and 0 < used.usd < 0.01 for used in counts] == [True]
    # Another process of the bot learns it from the bucket.
    async with start(tmp_path, bus.bot, nats_server.url, **models) as (_, http):
        checks = [await read_models(http)]
        for _ in range(200):
            checks.append(await read_models(http))
            if checks[-1][1] == "BudgetSpent":
                break
            await asyncio.sleep(0.05)
        assert checks[-1] == ("degraded", "BudgetSpent", [])
    assert (tmp_path / "service.log").read_text().count('"event": "llm_budget_spent"') == 2, "once a process"

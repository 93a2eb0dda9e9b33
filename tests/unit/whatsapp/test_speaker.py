"""The bot's voice: nobody waits as if typing for what may not go, and what goes is counted by its outcome."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from prometheus_client import REGISTRY
from tests.unit.whatsapp.scripted import ScriptedGateway

from supportbot.errors import PermanentError, UnavailableError
from supportbot.whatsapp.allowance import Allowance, LimitedError
from supportbot.whatsapp.gateway import MessageKey, Quote, SendUnknownError
from supportbot.whatsapp.limits import Policy
from supportbot.whatsapp.pacing import Pace, Pacer
from supportbot.whatsapp.speaker import Speaker

CHAT = "120363000000000001@g.us"
TARGET = MessageKey(chat=CHAT, sender="529980000001@s.whatsapp.net", message_id="A1")


class Sending(ScriptedGateway):
    """Sends, or fails as a test says."""

    failure: Exception | None = None

    async def show_typing(self, chat: str, *, on: bool) -> None:
        self.asked.append(("typing", on))

    async def send(self, chat: str, text: str, *, key: str, quoted: Quote | None, mentions: tuple[str, ...]) -> str:
        return self._answer("send", text, key)

    async def react(self, target: MessageKey, emoji: str, *, key: str) -> str:
        return self._answer("react", emoji, key)

    def _answer(self, *what: str) -> str:
        if self.failure is not None:
            raise self.failure
        self.asked.append(what)
        return "3EB0"


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def pacer(slept: list[float]) -> Pacer:
    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    return Pacer(Pace(total_per_minute=60_000, group_per_minute=60_000), random.Random(7), sleep)


Count = Callable[[str], float]


@pytest.fixture
def sent() -> Count:
    """How many sends ended with an outcome during the test."""
    outcomes = ("ok", "unknown", "rejected")
    before = {outcome: _value(outcome) for outcome in outcomes}
    return lambda outcome: _value(outcome) - before[outcome]


def _value(outcome: str) -> float:
    return REGISTRY.get_sample_value("supportbot_whatsapp_send_total", {"outcome": outcome}) or 0.0


async def test_it_types_and_then_sends_and_reacts_without_typing(
    tmp_path: Path, pacer: Pacer, slept: list[float], sent: Count
) -> None:
    gateway = Sending()
    with Allowance(tmp_path / "sends.db", Policy(per_day=10)) as allowance:
        speaker = Speaker(gateway, pacer=pacer, allowance=allowance)
        assert await speaker.send(CHAT, "hola", key="k1") == "3EB0"
        assert await speaker.react(TARGET, "✅", key="k2") == "3EB0"
        assert allowance.usage().last_24_hours == 2

    assert gateway.asked == [("typing", True), ("typing", False), ("send", "hola", "k1"), ("react", "✅", "k2")]
    assert len(slept) == 1
    assert sent("ok") == 2


async def test_nobody_waits_as_if_typing_for_what_may_not_go(tmp_path: Path, pacer: Pacer, slept: list[float]) -> None:
    gateway = Sending()
    with Allowance(tmp_path / "sends.db", Policy(per_day=1)) as allowance:
        speaker = Speaker(gateway, pacer=pacer, allowance=allowance)
        await speaker.react(TARGET, "✅", key="k1")
        with pytest.raises(LimitedError):
            await speaker.send(CHAT, "hola", key="k2")
        with pytest.raises(LimitedError):
            await speaker.react(TARGET, "", key="k3")

    assert gateway.asked == [("react", "✅", "k1")]
    assert slept == []


@pytest.mark.parametrize(
    ("failure", "outcome"),
    [
        (SendUnknownError("no answer"), "unknown"),
        (PermanentError("no", reason="send_refused"), "rejected"),
        (UnavailableError("not connected", dependency="whatsapp"), None),
    ],
)
async def test_a_failure_is_counted_by_what_is_known(
    tmp_path: Path, pacer: Pacer, sent: Count, failure: Exception, outcome: str | None
) -> None:
    gateway = Sending()
    gateway.failure = failure
    with (
        Allowance(tmp_path / "sends.db", Policy(per_day=10)) as allowance,
        pytest.raises(type(failure)),
    ):
        await Speaker(gateway, pacer=pacer, allowance=allowance).send(CHAT, "hola", key="k")

    assert {name: sent(name) for name in ("ok", "unknown", "rejected") if sent(name)} == (
        {outcome: 1} if outcome else {}
    )

"""The history of what was sent, across restarts, and what becomes of a message that may not go."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from supportbot.errors import PermanentError, UnavailableError
from supportbot.whatsapp.allowance import LONGEST_HOLD_S, Allowance, LimitedError
from supportbot.whatsapp.gateway import GatewayState, LinkState, SendUnknownError
from supportbot.whatsapp.limits import Limit, Policy

NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


Open = Callable[..., AbstractContextManager[Allowance]]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def opened(tmp_path: Path, clock: Clock) -> Open:
    @contextmanager
    def open_it(per_day: int = 10) -> Iterator[Allowance]:
        with Allowance(tmp_path / "sends.db", Policy(per_day=per_day), clock=clock) as allowance:
            yield allowance

    return open_it


async def send(allowance: Allowance, text: str = "", error: Exception | None = None) -> None:
    async with allowance.spend(text):
        if error is not None:
            raise error


async def test_the_day_and_its_texts_outlive_a_restart(opened: Open, clock: Clock) -> None:
    with opened() as allowance:
        for _ in range(3):
            await send(allowance, "hola")
    clock.now += timedelta(minutes=1)
    with opened() as allowance:
        with pytest.raises(LimitedError) as refused:
            await send(allowance, "hola")
        await send(allowance, "adiós")

        assert refused.value.wait.limit is Limit.SAME_TEXT
        assert refused.value.left_s == 9 * 60
        assert allowance.usage().last_24_hours == 4


@pytest.mark.parametrize(
    ("error", "counted"),
    [
        (None, 1),
        (SendUnknownError("no answer"), 1),
        (UnavailableError("not connected", dependency="whatsapp"), 0),
        (PermanentError("refused"), 0),
        (RuntimeError("a bug"), 1),
    ],
)
async def test_only_what_certainly_did_not_go_out_is_not_counted(
    opened: Open, error: Exception | None, counted: int
) -> None:
    with opened() as allowance:
        if error is None:
            await send(allowance)
        else:
            with pytest.raises(type(error)):
                await send(allowance, error=error)
        assert allowance.usage().last_24_hours == counted
    with opened() as allowance:
        assert allowance.usage().last_24_hours == counted


async def test_messages_on_their_way_count_already(opened: Open) -> None:
    with opened(per_day=1) as allowance:
        async with allowance.spend("one"):
            with pytest.raises(LimitedError):
                await send(allowance, "two")


async def test_a_warning_sign_pauses_all_sends_across_a_restart(opened: Open, clock: Clock) -> None:
    with opened() as allowance, pytest.raises(PermanentError):
        await send(allowance, error=PermanentError("429", reason="send_limited"))
    clock.now += timedelta(minutes=59)
    with opened() as allowance, pytest.raises(LimitedError) as refused:
        allowance.check("hola")
    clock.now += timedelta(minutes=1)
    with opened() as allowance:
        await send(allowance, "hola")

    assert (refused.value.wait.limit, refused.value.left_s) == (Limit.PAUSED, 60)
    assert "sending goes on at 2026-03-02 16:00 UTC" in str(refused.value)


async def test_three_refusals_in_a_row_pause_and_a_success_between_them_does_not(opened: Open) -> None:
    with opened() as allowance:
        for outcome in (True, True, False, True, True):
            if outcome:
                with pytest.raises(PermanentError):
                    await send(allowance, error=PermanentError("refused"))
            else:
                await send(allowance)
        assert allowance.usage().wait is None
    with opened() as allowance:
        with pytest.raises(PermanentError):
            await send(allowance, error=PermanentError("refused"))
        usage = allowance.usage()

    assert usage.wait is not None
    assert usage.wait.limit is Limit.PAUSED


async def test_a_ban_pauses_once_and_for_as_long_as_it_lasts(opened: Open, clock: Clock) -> None:
    banned = GatewayState(link=LinkState.BANNED, until=NOW + 30 * HOUR)
    with opened() as allowance:
        for _ in range(3):
            await allowance.observe(banned)
        first = allowance.usage().wait
        clock.now = NOW + 31 * HOUR
        await allowance.observe(GatewayState(link=LinkState.CONNECTED))
        free = allowance.usage().wait
        await allowance.observe(GatewayState(link=LinkState.BANNED))
        second = allowance.usage().wait

    assert first is not None
    assert first.until == NOW + 30 * HOUR
    assert free is None
    assert second is not None
    assert second.until == clock.now + 2 * HOUR


async def test_a_new_link_is_remembered_and_a_pairing_makes_another(opened: Open, clock: Clock) -> None:
    connected, unpaired = GatewayState(link=LinkState.CONNECTED), GatewayState(link=LinkState.UNPAIRED)
    with opened() as allowance:
        await allowance.observe(connected)
        assert allowance.usage().limit == 2
    clock.now += 23 * HOUR
    with opened() as allowance:
        await allowance.observe(connected)
        assert allowance.usage().limit == 2
        clock.now += 2 * HOUR
        await allowance.observe(connected)
        assert allowance.usage().limit == 10
        await allowance.observe(unpaired)
        await allowance.observe(connected)
        assert allowance.usage().limit == 2


async def test_a_message_that_waits_for_hours_is_looked_at_now_and_then(opened: Open) -> None:
    with opened(per_day=1) as allowance:
        await send(allowance)
        with pytest.raises(LimitedError) as refused:
            allowance.check()

    assert refused.value.left_s == 24 * 3600
    assert refused.value.delay_s == LONGEST_HOLD_S

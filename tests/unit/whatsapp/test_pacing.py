"""How fast the bot speaks, on a loop whose clock jumps instead of waiting."""

import asyncio
import random
import selectors
from collections.abc import Coroutine
from typing import Any

import pytest

from supportbot.whatsapp.pacing import BURST, SIMULATED, Pace, Pacer, typing_s


class JumpingSelector(selectors.SelectSelector):
    """Waits for nothing: the time that a loop would sleep has passed at once."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        # Even a clock that jumps must tick: at a stop, rounding lets a timer come due for ever.
        self.now_s += max(timeout or 0.0, 1e-6)
        return super().select(0)


class JumpingLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jumping = JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now_s


def run(work: Coroutine[Any, Any, list[float]]) -> list[float]:
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(work)


async def times_of(pacer: Pacer, chats: list[str], text: str = "") -> list[float]:
    """When each message may go, in the order in which they are let through."""
    times = []

    async def send(chat: str) -> None:
        await pacer.wait(chat, text)
        times.append(asyncio.get_running_loop().time())

    await asyncio.gather(*(send(chat) for chat in chats))
    return times


def test_after_a_burst_a_group_gets_its_rate() -> None:
    pace = Pace(total_per_minute=6000, group_per_minute=12, human=False)

    times = run(times_of(Pacer(pace), ["a"] * (BURST + 3)))

    assert times == pytest.approx([0, 0, 0, 5, 10, 15], abs=0.1)


def test_all_groups_share_the_accounts_rate() -> None:
    pace = Pace(total_per_minute=20, group_per_minute=6000, human=False)

    times = run(times_of(Pacer(pace), ["a", "b", "c", "d", "e"]))

    assert times == pytest.approx([0, 0, 0, 3, 6], abs=0.1)


def test_a_busy_group_does_not_hold_up_another() -> None:
    pace = Pace(total_per_minute=6000, group_per_minute=1, human=False)

    times = run(times_of(Pacer(pace), ["a"] * (BURST + 1) + ["b"]))

    assert times == pytest.approx([0, 0, 0, 0, 60], abs=0.1)


def test_a_person_types_one_text_after_the_other() -> None:
    pace = Pace(total_per_minute=6000, group_per_minute=6000, human=True)

    first, second = run(times_of(Pacer(pace, random.Random(7)), ["a", "b"], text="x" * 100))

    assert 0.7 * 5 <= first <= 1.3 * 7
    assert second - first >= 0.7 * 5


def test_reactions_need_no_typing() -> None:
    pace = Pace(total_per_minute=6000, group_per_minute=6000, human=True)

    assert run(times_of(Pacer(pace), ["a", "a"])) == pytest.approx([0, 0], abs=0.1)


@pytest.mark.parametrize(("length", "low_s", "high_s"), [(0, 0.7, 3.9), (100, 3.5, 9.1), (5000, 6.3, 14.3)])
def test_typing_takes_as_long_as_a_person_needs(length: int, low_s: float, high_s: float) -> None:
    rng = random.Random(1)
    samples = [typing_s("x" * length, rng) for _ in range(2000)]

    assert low_s <= min(samples) < low_s * 1.2
    assert high_s * 0.9 < max(samples) <= high_s


def test_the_simulator_is_fast() -> None:
    assert run(times_of(Pacer(SIMULATED), ["a"] * 100, text="hola"))[-1] < 0.2

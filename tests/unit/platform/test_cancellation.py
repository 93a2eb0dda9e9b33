import asyncio

import pytest

from supportbot.cancellation import end_for_sure


class Deaf:
    """Loses a number of cancellations, as `wait_for` of Python 3.11 does."""

    def __init__(self, losses: int) -> None:
        self.losses = losses
        self.ended = False

    async def run(self) -> None:
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if self.losses == 0:
                    self.ended = True
                    raise
                self.losses -= 1


async def test_lost_cancellation_is_repeated() -> None:
    deaf = Deaf(losses=2)
    task = asyncio.create_task(end_for_sure(deaf.run(), again_s=0))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert deaf.ended


async def test_failure_comes_through() -> None:
    async def fail() -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await end_for_sure(fail())

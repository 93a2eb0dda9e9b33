"""The queue: a key waits once, is with one worker at a time, and comes back."""

import asyncio

import pytest

from supportbot_operator.workqueue import WorkQueue


def make_queue() -> WorkQueue[str]:
    return WorkQueue[str](jitter=lambda: 0.5)


async def test_a_key_waits_once_in_the_order_of_arrival() -> None:
    queue = make_queue()
    for key in "abac":
        queue.add(key)
    got = []
    for _ in range(3):
        got.append(await queue.get())
        queue.done(got[-1])
    assert (got, len(queue)) == (["a", "b", "c"], 0)


async def test_a_key_that_changes_while_it_is_worked_on_is_done_again_afterwards() -> None:
    queue = make_queue()
    queue.add("a")
    assert await queue.get() == "a"
    queue.add("a")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await queue.get()
    queue.done("a")
    assert await queue.get() == "a"
    queue.done("a")
    assert len(queue) == 0


async def test_failures_back_off_to_five_minutes_and_success_forgets_them() -> None:
    queue = make_queue()
    delays = []
    for _ in range(11):
        queue.add("a")
        delays.append(round(queue.failed(await queue.get()), 2))
    assert delays == [1.05, 2.1, 4.2, 8.4, 16.8, 33.6, 67.2, 134.4, 268.8, 315.0, 315.0]
    queue.add("a")
    queue.done(await queue.get())
    queue.add("a")
    assert queue.failed(await queue.get()) == pytest.approx(1.05)
    queue.close()


async def test_a_server_that_says_when_to_come_back_is_believed() -> None:
    queue = make_queue()
    queue.add("a")
    assert queue.failed(await queue.get(), at_least_s=20) == pytest.approx(21)
    queue.close()


async def test_of_two_delays_the_shorter_counts_and_an_event_ends_both() -> None:
    queue = make_queue()
    queue.add_after("a", 60)
    queue.add_after("a", 0.01)
    queue.add_after("a", 60)
    async with asyncio.timeout(5):
        queue.done(await queue.get(), again_s=60)
    queue.add("a")
    assert await queue.get() == "a"
    queue.done("a")
    assert len(queue) == 0


async def test_a_waiting_worker_is_woken() -> None:
    queue = make_queue()
    waiting = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    queue.add("a")
    async with asyncio.timeout(5):
        assert await waiting == "a"

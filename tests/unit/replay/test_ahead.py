"""Texts are prepared once each, on other threads, before anybody waits for them."""

import threading

import pytest

from supportbot.cli.replay.ahead import Ahead


async def test_each_text_is_prepared_once_before_the_wait_is_over() -> None:
    prepared: list[tuple[str, bool]] = []
    with Ahead(lambda text: prepared.append((text, threading.current_thread() is threading.main_thread()))) as ahead:
        ahead.start(["a", "b", "a"])
        await ahead.wait()
        assert sorted(prepared) == [("a", False), ("b", False)]
        ahead.start(["c"])
        await ahead.wait()
    assert sorted(text for text, _ in prepared) == ["a", "b", "c"]


async def test_without_anything_to_prepare_there_is_nothing_to_wait_for() -> None:
    with Ahead(None) as ahead:
        ahead.start(["a"])
        await ahead.wait()


async def test_what_has_not_begun_is_left_when_the_run_ends_early() -> None:
    gate, begun = threading.Event(), threading.Semaphore(0)
    prepared: list[str] = []

    def prepare(text: str) -> None:
        begun.release()
        assert gate.wait(5)
        prepared.append(text)

    with Ahead(prepare) as ahead:
        ahead.start(map(str, range(500)))
        assert begun.acquire(timeout=5)
        gate.set()
    assert 1 <= len(prepared) <= 500
    assert not [one for one in threading.enumerate() if one.name.startswith("ahead")]


async def test_what_cannot_be_prepared_is_told_to_whoever_waits() -> None:
    def prepare(text: str) -> None:
        raise MemoryError(text)

    with Ahead(prepare) as ahead:
        ahead.start(["a"])
        with pytest.raises(MemoryError):
            await ahead.wait()

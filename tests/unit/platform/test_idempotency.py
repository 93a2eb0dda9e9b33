import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import httpx
import pytest
from fastapi import FastAPI, Request, Response
from pydantic import BaseModel

from supportbot.auth import CALLER
from supportbot.idempotency import Answer, IdempotencyKeys


class Note(BaseModel):
    text: str


@dataclass
class Desk:
    """An application that counts what it does; `gate` holds its work back."""

    keys: IdempotencyKeys
    done: list[str] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    fails: bool = False
    client: httpx.AsyncClient = field(init=False)

    def __post_init__(self) -> None:
        self.gate.set()
        app = FastAPI()

        @app.post("/notes")
        @app.post("/other")
        async def post(note: Note, request: Request) -> Response:
            request.scope[CALLER] = request.headers.get("caller", "shop")
            return await self.keys.once(request, note, lambda: self.work(note))

        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        self.client = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1")

    async def work(self, note: Note) -> Answer:
        self.begun.set()
        await self.gate.wait()
        if self.fails:
            raise ZeroDivisionError
        self.done.append(note.text)
        return Answer(500 if note.text == "bad" else 200, {"number": len(self.done)})

    async def post(self, text: str, key: str | None, *, path: str = "/notes", caller: str = "shop") -> httpx.Response:
        headers = {"caller": caller} | ({} if key is None else {"idempotency-key": key})
        return await self.client.post(path, json={"text": text}, headers=headers)


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    desk = Desk(IdempotencyKeys())
    async with desk.client:
        yield desk


@pytest.mark.parametrize(("text", "status"), [("hola", 200), ("bad", 500)])
async def test_a_repeat_gets_the_first_answer(desk: Desk, text: str, status: int) -> None:
    first, second = await desk.post(text, "k"), await desk.post(text, "k")

    assert (first.status_code, first.json()) == (second.status_code, second.json()) == (status, {"number": 1})
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"
    assert desk.done == [text]


async def test_without_a_key_the_work_is_done_each_time(desk: Desk) -> None:
    await desk.post("hola", None)
    await desk.post("hola", None)

    assert desk.done == ["hola", "hola"]


async def test_a_key_belongs_to_one_body(desk: Desk) -> None:
    await desk.post("hola", "k")
    response = await desk.post("adiós", "k")

    assert (response.status_code, desk.done) == (422, ["hola"])
    assert "another body" in json.dumps(response.json())


async def test_a_key_belongs_to_one_caller_and_route(desk: Desk) -> None:
    for path, caller in (("/notes", "shop"), ("/notes", "other shop"), ("/other", "shop")):
        await desk.post("hola", "k", path=path, caller=caller)

    assert desk.done == ["hola"] * 3


async def test_a_repeat_waits_for_the_first_that_still_runs(desk: Desk) -> None:
    desk.gate.clear()
    first = asyncio.create_task(desk.post("hola", "k"))
    await desk.begun.wait()
    second = asyncio.create_task(desk.post("hola", "k"))
    for _ in range(10):
        await asyncio.sleep(0)
    assert not second.done()
    desk.gate.set()

    assert (await first).json() == (await second).json()
    assert desk.done == ["hola"]


async def test_a_work_that_raises_may_be_tried_again(desk: Desk) -> None:
    desk.fails = True
    failed = await desk.post("hola", "k")
    desk.fails = False
    repeated = await desk.post("hola", "k")

    assert (failed.status_code, repeated.status_code, desk.done) == (500, 200, ["hola"])


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb"])
async def test_a_malformed_key_is_refused(desk: Desk, key: str) -> None:
    assert (await desk.post("hola", key)).status_code == 400


async def test_answers_are_kept_for_a_day_only() -> None:
    clock = Clock()
    desk = Desk(IdempotencyKeys(ttl_s=10, clock=clock))
    async with desk.client:
        for clock.now in (0.0, 9.9, 10.0):
            await desk.post("hola", "k")

    assert desk.done == ["hola", "hola"]


async def test_the_oldest_answer_goes_when_there_are_too_many() -> None:
    desk = Desk(IdempotencyKeys(capacity=2))
    async with desk.client:
        for key in ("a", "b", "c", "b", "a"):
            await desk.post(key, key)

    assert desk.done == ["a", "b", "c", "a"]

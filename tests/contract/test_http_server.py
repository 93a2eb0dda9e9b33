"""A real server on loopback, and a whole service process: start, serve, stop, and every way to end badly."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.middleware import Middleware

from supportbot.auth import APIKeys
from supportbot.bodies import BodyMiddleware
from supportbot.errors import UserError
from supportbot.health import Health, State
from supportbot.http import bind, create_app, serve, serve_on
from supportbot.settings import Settings, load_settings

SERVICE = """
import asyncio, sys
from supportbot.http import create_app
from supportbot.errors import UserError
from supportbot.service import Service, run_service
from supportbot.settings import load_settings

async def main(service: Service) -> None:
    if sys.argv[1] == "misconfigured":
        raise UserError("the spec names a secret that is missing")
    if sys.argv[1] == "returns":
        return
    async with asyncio.TaskGroup() as tasks:
        app = create_app("ticket", service.settings, keys=service.keys, health=service.health)

        @app.get("/slow")
        async def slow() -> dict[str, str]:
            await asyncio.sleep(0.5)
            return {"message": "done"}

        tasks.create_task(service.serve(app))
        if sys.argv[1] == "dies":
            await asyncio.sleep(0.1)
            raise ZeroDivisionError("canary +529981234567")

raise SystemExit(run_service("ticket", load_settings, main))
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "bot.yaml").write_text("kind: SupportBot\n")
    (tmp_path / "secrets").mkdir()
    (tmp_path / "install-key").write_text("0b" * 32)
    (tmp_path / "service.py").write_text(SERVICE)
    return {
        "SUPPORTBOT_SPEC": str(tmp_path / "bot.yaml"),
        "SUPPORTBOT_SECRETS": str(tmp_path / "secrets"),
        "SUPPORTBOT_DATA": str(tmp_path / "data"),
        "SUPPORTBOT_INSTALL_KEY_FILE": str(tmp_path / "install-key"),
        "SUPPORTBOT_PORT": "0",
        "SUPPORTBOT_METRICS_PORT": str(free_port()),
    }


@pytest.fixture
def settings(environ: dict[str, str]) -> Settings:
    return load_settings("ticket", environ)


@dataclass
class Process:
    """A service as a process of its own, with its log lines so far."""

    process: asyncio.subprocess.Process
    lines: list[dict[str, Any]]

    async def until(self, event: str) -> dict[str, Any]:
        """The next line of that event."""
        assert self.process.stdout is not None
        async with asyncio.timeout(20):
            while raw := await self.process.stdout.readline():
                self.lines.append(json.loads(raw))
                if self.lines[-1]["event"] == event:
                    return self.lines[-1]
        raise AssertionError(f"ended without {event}: {self.lines}")

    async def end(self) -> tuple[int, str]:
        """Exit code and standard error."""
        async with asyncio.timeout(20):
            out, err = await self.process.communicate()
        self.lines += [json.loads(line) for line in out.splitlines()]
        assert self.process.returncode is not None
        return self.process.returncode, err.decode()


@asynccontextmanager
async def running(environ: Mapping[str, str], manner: str, tmp_path: Path) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(tmp_path / "service.py"),
        manner,
        env={"PATH": os.environ["PATH"], **environ},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield Process(process, [])
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


def make_health() -> Health:
    health = Health("ticket")
    health.set("process", State.OK)
    return health


async def test_a_server_serves_until_it_is_cancelled_and_frees_its_port(settings: Settings) -> None:
    listener = bind("127.0.0.1", 0)
    port = listener.getsockname()[1]
    app = create_app("ticket", settings, keys=APIKeys(), health=make_health())
    serving = asyncio.create_task(serve_on(app, listener))

    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        answer = await client.get("/readyz")
        serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await serving

    assert answer.status_code == 200
    assert "server" not in answer.headers
    bind("127.0.0.1", port).close()


async def test_a_running_request_is_answered_before_the_server_stops(settings: Settings) -> None:
    listener = bind("127.0.0.1", 0)
    app = create_app("ticket", settings, keys=APIKeys(), health=make_health())
    begun, gate = asyncio.Event(), asyncio.Event()

    @app.get("/slow")
    async def slow() -> dict[str, str]:
        begun.set()
        await gate.wait()
        return {"message": "done"}

    serving = asyncio.create_task(serve_on(app, listener))
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}") as client:
        asking = asyncio.create_task(client.get("/slow"))
        await begun.wait()
        serving.cancel()
        gate.set()
        answer = await asking
        with pytest.raises(asyncio.CancelledError):
            await serving

    assert answer.json() == {"message": "done"}


async def test_a_port_in_use_is_told_with_its_setting(settings: Settings) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(UserError) as caught:
            await serve(
                create_app("ticket", settings, keys=APIKeys(), health=make_health()),
                "127.0.0.1",
                port,
                setting="SUPPORTBOT_METRICS_PORT",
            )

    assert f"cannot listen on 127.0.0.1 port {port}: " in str(caught.value)
    assert "set SUPPORTBOT_METRICS_PORT" in str(caught.value)


async def test_a_body_that_dribbles_is_given_up() -> None:
    app = FastAPI(middleware=[Middleware(BodyMiddleware, timeout_s=0.05)])

    @app.post("/notes")
    async def post(note: dict[str, str]) -> dict[str, str]:
        return note

    listener = bind("127.0.0.1", 0)
    serving = asyncio.create_task(serve_on(app, listener))
    reader, writer = await asyncio.open_connection(*listener.getsockname())
    writer.write(
        b"POST /notes HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{"
    )
    async with asyncio.timeout(5):
        answer = await reader.read()
    writer.close()
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving

    assert answer.startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_service_ends_cleanly_on_a_signal(environ: dict[str, str], tmp_path: Path, number: int) -> None:
    async with running(environ, "serves", tmp_path) as service:
        metrics, http = await service.until("http_listening"), await service.until("http_listening")
        async with httpx.AsyncClient() as client:
            slow = asyncio.create_task(client.get(f"http://127.0.0.1:{http['port']}/slow"))
            ready = await client.get(f"http://127.0.0.1:{metrics['port']}/readyz")
            exposed = await client.get(f"http://127.0.0.1:{metrics['port']}/metrics")
            began = asyncio.get_running_loop().time()
            service.process.send_signal(number)
            answer = await slow
            code, err = await service.end()
            took_s = asyncio.get_running_loop().time() - began

    assert (ready.status_code, answer.json()) == (200, {"message": "done"})
    assert "supportbot_build_info" in exposed.text
    assert (code, err) == (0, "")
    assert took_s < 5
    assert [line["event"] for line in service.lines][-2:] == ["service_stopping", "service_stopped"]


async def test_a_collector_that_is_away_holds_nothing_up(environ: dict[str, str], tmp_path: Path) -> None:
    with socket.socket() as hanging:  # Accepts and never answers, the worst kind of away.
        hanging.bind(("127.0.0.1", 0))
        hanging.listen()
        collector = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{hanging.getsockname()[1]}"}
        async with running(environ | collector, "serves", tmp_path) as service:
            await service.until("http_listening")
            http = await service.until("http_listening")
            async with httpx.AsyncClient() as client:
                answer = await client.get(f"http://127.0.0.1:{http['port']}/slow")
            began = asyncio.get_running_loop().time()
            service.process.send_signal(signal.SIGTERM)
            code, _ = await service.end()
            took_s = asyncio.get_running_loop().time() - began

    assert (answer.status_code, code) == (200, 0)
    assert took_s < 5


async def test_a_service_that_dies_says_so_in_one_line_and_ends_with_1(environ: dict[str, str], tmp_path: Path) -> None:
    async with running(environ, "dies", tmp_path) as service:
        code, err = await service.end()

    failures = [line for line in service.lines if line["level"] == "error"]
    assert (code, err, len(failures)) == (1, "", 1)
    assert (failures[0]["event"], failures[0]["error.type"]) == ("service_failed", "ZeroDivisionError")
    assert "canary" not in json.dumps(service.lines)


async def test_a_service_whose_main_returns_has_failed(environ: dict[str, str], tmp_path: Path) -> None:
    async with running(environ, "returns", tmp_path) as service:
        code, _ = await service.end()

    assert (code, service.lines[-1]["event"]) == (1, "service_failed")


async def test_a_wrong_configuration_ends_with_2_and_all_faults(environ: dict[str, str], tmp_path: Path) -> None:
    wrong = environ | {"SUPPORTBOT_LANES": "0", "SUPPORTBOT_SPEC": "/nowhere.yaml"}
    async with running(wrong, "serves", tmp_path) as service:
        code, err = await service.end()

    assert (code, service.lines) == (2, [])
    assert err.splitlines()[0] == "supportbot ticket: wrong configuration:"
    assert {line.split(":")[0].strip() for line in err.splitlines()[1:]} == {"SUPPORTBOT_LANES", "SUPPORTBOT_SPEC"}


async def test_a_service_reachable_from_outside_without_a_key_does_not_start(
    environ: dict[str, str], tmp_path: Path
) -> None:
    async with running(environ | {"SUPPORTBOT_HOST": "0.0.0.0"}, "serves", tmp_path) as service:
        code, err = await service.end()

    assert code == 2
    assert "SUPPORTBOT_API_KEYS_FILE names no API key" in err


async def test_a_fault_found_by_the_service_itself_ends_with_2(environ: dict[str, str], tmp_path: Path) -> None:
    async with running(environ, "misconfigured", tmp_path) as service:
        code, err = await service.end()

    assert (code, err) == (2, "supportbot ticket: the spec names a secret that is missing\n")


async def test_a_taken_port_ends_with_2_and_names_the_setting(environ: dict[str, str], tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        async with running(environ | {"SUPPORTBOT_PORT": port}, "serves", tmp_path) as service:
            code, err = await service.end()

    assert code == 2
    assert f"port {port}" in err
    assert "set SUPPORTBOT_PORT" in err

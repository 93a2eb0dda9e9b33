"""The three services as processes in a cluster's manner: TLS, credentials of their own, another key than the name."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from tests.conftest import LANES
from tests.contract.access.support import SecuredNATS, make_credentials
from tests.e2e.support import GROUP, SUPPORTBOT, run_desk

from supportbot.bus import Bus
from supportbot.classifier.models.budget import Used
from supportbot.cli.ports import free_port
from supportbot.contracts import Outcome, Tier
from supportbot.emulators.models.server import EmulatedModels
from supportbot.nats_connection import Connection
from supportbot.permissions import Permissions, permissions
from supportbot.pipeline_state import PipelineWatch
from supportbot.topology import Bucket, Stage
from supportbot.trail import read_trail

pytestmark = [pytest.mark.nats, pytest.mark.slow]

NOBODY = "http://127.0.0.1:1"
REPORT = "buen día, la tienda 909 no puede facturar el pedido 70001, su apoyo por favor"


def write_files(folder: Path, model_url: str) -> None:
    """What a pod gets mounted."""
    secret = folder / "secrets" / "zoho"
    secret.mkdir(parents=True)
    for key in ("client", "secret", "refresh"):
        name = {"client": "client-id", "secret": "client-secret", "refresh": "refresh-token"}[key]
        (secret / name).write_text(f"demo-{key}")
    (folder / "install.key").write_text("00" * 32)
    zoho = {"organizationID": "123456789", "departmentID": "987654321", "credentialsSecretRef": {"name": "zoho"}}
    model = {"provider": "OpenAICompatible", "model": "llama3.2", "baseURL": model_url}
    spec = {
        "whatsapp": {"gateway": "Simulator", "groups": [{"jid": GROUP}]},
        "zoho": zoho,
        "models": {"primary": model, "dailyBudget": {"tokens": 100_000}},
    }
    resource = {
        "apiVersion": "supportbot.dev/v1alpha1",
        "kind": "SupportBot",
        "metadata": {"name": "tiendas"},
        "spec": spec,
    }
    (folder / "spec.yaml").write_text(yaml.safe_dump(resource))


@asynccontextmanager
async def run(stage: Stage, folder: Path, values: dict[str, str]) -> AsyncIterator[httpx.AsyncClient]:
    """A service."""
    port = free_port()
    own = {"PORT": str(port), "DATA": str(folder / stage), "INSTANCE": f"tiendas-{stage}-0"}
    env = {"PATH": os.environ["PATH"], **{f"SUPPORTBOT_{name}": value for name, value in (values | own).items()}}
    with (folder / f"{stage}.log").open("wb") as log:
        command = (sys.executable, "-m", f"supportbot.{stage}")
        process = await asyncio.create_subprocess_exec(*command, env=env, stdout=log, stderr=log)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10) as http:
        try:
            yield http
        finally:
            if process.returncode is None:
                process.terminate()
            await asyncio.wait_for(process.wait(), 20)


async def await_that(look: Callable[[], Awaitable[Any]], timeout_s: float = 30) -> Any:
    """The first true value of a look at other processes."""
    async with asyncio.timeout(timeout_s):
        while True:
            try:
                if found := await look():
                    return found
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.05)


@asynccontextmanager
async def services(
    secured: SecuredNATS, bot: str, folder: Path, desk: str, model_url: str, **rights: Permissions
) -> AsyncIterator[dict[Stage, httpx.AsyncClient]]:
    """All three of a bot; `rights` replaces those of a service."""
    write_files(folder, model_url)
    async with AsyncExitStack() as stack:
        running = {}
        for stage in Stage:
            name = f"{bot}-{stage}"
            access = secured.write(name, make_credentials(name, rights.get(stage) or permissions(bot, stage)))
            values = {
                "SPEC": str(folder / "spec.yaml"),
                "SECRETS": str(folder / "secrets"),
                "INSTALL_KEY_FILE": str(folder / "install.key"),
                "NATS_URL": secured.url,
                "NATS_CREDENTIALS_FILE": str(access.credentials),
                "NATS_CA_FILE": str(access.ca),
                "BOT_KEY": bot,
                "LANES": str(LANES),
                "METRICS_PORT": "0",
                "LOG_FORMAT": "json",
                "ZOHO_ACCOUNTS_URL": desk,
                "ZOHO_DESK_URL": desk,
            }
            running[stage] = await stack.enter_async_context(run(stage, folder, values))
        yield running


async def read_checks(admin: Bus) -> dict[str, tuple[str, str]]:
    """Per check of the services that have reported its state and reason."""
    entries = await (await admin.bucket(Bucket.STATE)).items()
    reports = {key.partition(".")[0]: json.loads(entry.value) for key, entry in entries.items()}
    return {
        f"{service} {name}": (check["state"], check["reason"])
        for service, report in reports.items()
        for name, check in report["checks"].items()
        if name != "process"
    }


async def test_a_message_becomes_a_ticket_and_an_answer(
    secured: SecuredNATS, operator: Connection, bots: tuple[str, str], tmp_path: Path
) -> None:
    bot = bots[0]
    with run_desk() as desk, EmulatedModels() as models:
        async with (
            Bus.share(operator, bot=bot) as admin,
            services(secured, bot, tmp_path, desk.url, models.base_url("ollama")) as running,
        ):

            async def are_well() -> bool:
                return await read_checks(admin) == {
                    "whatsapp bus": ("ok", "Connected"),
                    "whatsapp whatsapp": ("ok", "Linked"),
                    "whatsapp sends": ("ok", ""),
                    "classifier bus": ("ok", "Connected"),
                    "classifier models": ("ok", "PrimaryAvailable"),
                    "ticket bus": ("ok", "Connected"),
                    "ticket zoho": ("ok", "Connected"),
                }

            await await_that(are_well)
            whatsapp = running[Stage.WHATSAPP]
            body = {"sender": {"phone": "+529985550001", "name": "Ana"}, "text": REPORT}
            (await whatsapp.post("/simulator/messages", json=body)).raise_for_status()

            async def read_answers() -> list[dict[str, Any]]:
                life = (await whatsapp.get("/simulator/messages")).json()["messages"]
                return [entry for entry in life if entry["from_bot"]]

            (answer,) = await await_that(read_answers)
            (ticket,) = desk.tickets
            assert f"#{ticket['ticketNumber']}" in answer["text"]
            watch = PipelineWatch(admin, lanes=LANES)

            async def is_settled() -> bool:
                return not (await watch.look()).open

            await await_that(is_settled)
            state = await watch.look()
            assert (state.received, state.tickets, dict(state.outcomes)) == (1, 1, {Outcome.TICKET: 1})
            assert await are_well()
            assert len(models.journal) == 1

            async def is_counted() -> bool:
                counts = (await (await admin.bucket(Bucket.USAGE)).items()).values()
                return [Used.parse(entry.value).tokens > 100 for entry in counts] == [True]

            await await_that(is_counted)
            assert {entry.decision.tier for entry in await read_trail(admin) if entry.decision} == {Tier.MODEL}
    logs = "".join((tmp_path / f"{stage}.log").read_text() for stage in Stage)
    assert "nats_connected" in logs or "service_stopped" in logs
    assert "nats_permission_denied" not in logs
    assert "nats_error" not in logs


async def test_a_service_whose_credentials_lack_a_right_says_so(
    secured: SecuredNATS, operator: Connection, bots: tuple[str, str], tmp_path: Path
) -> None:
    """One that may not pull is not ready; one that may not publish is, and says what is wrong."""
    bot = bots[0]

    def without(stage: Stage, word: str) -> Permissions:
        rights = permissions(bot, stage)
        return Permissions(
            publish=tuple(subject for subject in rights.publish if word not in subject), subscribe=rights.subscribe
        )

    lacking = {"classifier": without(Stage.CLASSIFIER, "MSG.NEXT"), "whatsapp": without(Stage.WHATSAPP, f"in.{bot}")}
    async with services(secured, bot, tmp_path, NOBODY, NOBODY, **lacking) as running:

        async def read_bus(stage: Stage) -> dict[str, Any] | None:
            body = (await running[stage].get("/health")).json()
            check: dict[str, Any] = body["checks"]["bus"]
            return check if "lack the permission" in check["message"] else None

        body = {"sender": {"phone": "+529985550001", "name": "Ana"}, "text": REPORT}

        async def say() -> bool:
            return (await running[Stage.WHATSAPP].post("/simulator/messages", json=body)).status_code < 300

        await await_that(say)
        classifier = await await_that(lambda: read_bus(Stage.CLASSIFIER))
        assert "$js.api.consumer.msg.next" in classifier["message"]
        assert (await running[Stage.CLASSIFIER].get("/readyz")).status_code == 503
        whatsapp = await await_that(lambda: read_bus(Stage.WHATSAPP))
        assert f"publish to 'in.{bot}." in whatsapp["message"]
        assert whatsapp["state"] == "degraded"
        assert (await running[Stage.WHATSAPP].get("/readyz")).status_code == 200


async def test_dead_letters_are_listed_with_credentials(
    secured: SecuredNATS, operator: Connection, bots: tuple[str, str]
) -> None:
    mine, foreign = secured.admin(), secured.service(bots[1], Stage.TICKET)

    async def list_them(*options: object) -> tuple[int | None, str]:
        command = (SUPPORTBOT, "dlq", "list", "--bot", bots[0], "--url", secured.url, *options)
        process = await asyncio.create_subprocess_exec(
            *map(str, command), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        output, _ = await process.communicate()
        return process.returncode, output.decode()

    assert await list_them("--creds", mine.credentials, "--ca", mine.ca) == (0, f"{bots[0]} has no dead letters\n")
    status, said = await list_them("--ca", mine.ca)
    assert (status, len(said.splitlines()), "without credentials" in said) == (2, 1, True), said
    status, said = await list_them("--creds", foreign.credentials, "--ca", foreign.ca)
    assert (status, "--creds" in said) == (2, True), said

"""What the service relies on, whichever gateway it has. A gateway's rig is the gateway and a hand on the group."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from contextlib import (
    AbstractAsyncContextManager,
    ExitStack,
    asynccontextmanager,
    suppress,
)
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest
from tests.emulators.whatsapp.contents import Text
from tests.events import until
from tests.linked import LinkedBot, Paired, linked_bot
from tests.simulated import CHAT, Inbox, make_raw, simulated

from supportbot.errors import UnavailableError
from supportbot.whatsapp.gateway import (
    Gateway,
    InboundSink,
    MediaGoneError,
    Quote,
    RawEvent,
    RawKind,
    RawMedia,
    SendUnknownError,
)
from supportbot.whatsapp.journal import Journal
from supportbot.whatsapp.neonize.gateway import NeonizeGateway
from supportbot.whatsapp.simulated_whatsapp import Entry
from supportbot.whatsapp.simulator import Faults


@dataclass(frozen=True, kw_only=True)
class Sent:
    """What the group got from the bot."""

    id: str
    group: str
    kind: RawKind
    text: str = ""
    emoji: str = ""
    quoted: str | None = None
    target: str | None = None
    mentions: tuple[str, ...] = ()


class SimulatorRig:
    """The simulator, and the group as people see it; `restart` is the death of the bot's process."""

    def __init__(self, folder: Path) -> None:
        self._open = simulated(folder)
        self.simulator, self._server = self._open.__enter__()
        self._running: asyncio.Task[None] | None = None

    @property
    def gateway(self) -> Gateway:
        return self.simulator

    async def run(self, sink: InboundSink) -> asyncio.Task[None]:
        self._running = asyncio.create_task(self.gateway.run(sink))
        await until(lambda: self.gateway.state().connected or self._is_cut)
        return self._running

    @property
    def _is_cut(self) -> bool:
        return self.simulator.faults.disconnected

    async def stop(self) -> None:
        if self._running is not None:
            self._running.cancel()
            with suppress(asyncio.CancelledError, OSError):
                await self._running

    async def post(self, raw: RawEvent) -> None:
        await self._server.post(raw)
        self.simulator.posted()

    async def upload(self, data: bytes) -> RawMedia:
        return RawMedia(handle=await self._server.put_media(data), kind="image", size_bytes=len(data))

    def seen(self, raw: RawEvent) -> RawEvent:
        """As the gateway hands it over: unchanged."""
        return raw

    async def sent(self) -> list[Sent]:
        return [
            Sent(
                id=entry.id,
                group=entry.group,
                kind=entry.kind,
                text=entry.text,
                emoji=entry.emoji,
                quoted=entry.quoted,
                target=entry.target,
                mentions=entry.mentions,
            )
            for entry in await self.entries()
        ]

    async def entries(self) -> list[Entry]:
        return [entry for entry in await self._server.life() if entry.from_bot]

    def disconnect(self) -> None:
        self.fault(disconnected=True)

    def reconnect(self) -> None:
        self.fault()

    def fault(self, **faults: Any) -> None:
        self.simulator.set_faults(Faults(**faults))

    def close(self) -> None:
        self._open.__exit__(None, None, None)


class NeonizeRig:
    """The real library on an emulated WhatsApp, which outlives the bot's process; its journal is read into the sink."""

    def __init__(self, bot: LinkedBot) -> None:
        self._bot = bot
        self._reading: set[asyncio.Task[None]] = set()
        self._turn = asyncio.Lock()
        self._stack = ExitStack()
        self._journal = self._stack.enter_context(Journal(bot.folder / "journal.db"))
        self.gateway: NeonizeGateway = self._stack.enter_context(bot.make_gateway())
        self._running: asyncio.Task[None] | None = None
        self._sink: InboundSink | None = None

    async def run(self, sink: InboundSink) -> asyncio.Task[None]:
        self._sink = sink
        self._running = asyncio.create_task(self.gateway.run(self))
        await until(lambda: self.gateway.state().connected or self.gateway.state().until is not None)
        return self._running

    def put(self, raw: RawEvent) -> None:
        raise AssertionError("the gateway writes the journal itself")

    def noticed(self, *, stored: int, repeated: int, ignored: int) -> None:
        task = asyncio.create_task(self._read())
        self._reading.add(task)
        task.add_done_callback(self._reading.discard)

    async def _read(self) -> None:
        assert self._sink is not None
        async with self._turn:
            for row in await self._journal.waiting():
                await self._journal.mark_published(row.seq, datetime.now(UTC))
                self._sink.put(RawEvent.model_validate_json(row.raw))

    async def stop(self) -> None:
        if self._running is not None:
            self._running.cancel()
            with suppress(asyncio.CancelledError):
                await self._running

    async def post(self, raw: RawEvent) -> None:
        content = Text(text=raw.text, forwarded=raw.forwarded)
        sent_at = int(raw.sent_at.timestamp())
        key = raw.key
        await self._bot.whatsapp.post(
            self._bot.group, self._bot.ana, content, message_id=key.message_id, sent_at=sent_at
        )

    def seen(self, raw: RawEvent) -> RawEvent:
        """As the group shows it: by LIDs."""
        lid = self._bot.ana.lid
        key, sender = raw.key.model_copy(update={"sender": lid}), raw.sender.model_copy(update={"jid": lid})
        return raw.model_copy(update={"key": key, "sender": sender})

    async def upload(self, data: bytes) -> RawMedia:
        stored = self._bot.whatsapp.media.add(data, "image")
        handle = {
            "kind": "image",
            "path": stored.direct_path,
            "key": base64.b64encode(stored.key).decode(),
            "sha256": base64.b64encode(stored.sha256).decode(),
            "enc_sha256": base64.b64encode(stored.encrypted_sha256).decode(),
            "size": len(data),
        }
        return RawMedia(handle=json.dumps(handle), kind="image", size_bytes=len(data))

    async def sent(self) -> list[Sent]:
        return [
            Sent(
                id=seen.id,
                group=seen.chat,
                kind=RawKind.REACTION if seen.target_id else RawKind.MESSAGE,
                text="" if seen.target_id else seen.text,
                emoji=seen.text if seen.target_id else "",
                quoted=seen.quoted_id,
                target=seen.target_id,
                mentions=seen.mentions,
            )
            for seen in self._bot.whatsapp.seen.sent.values()
        ]

    def disconnect(self) -> None:
        self._bot.whatsapp.set_reachable(is_reachable=False)
        self._bot.whatsapp.drop()

    def reconnect(self) -> None:
        self._bot.whatsapp.set_reachable(is_reachable=True)

    def close(self) -> None:
        self._stack.close()


Rig = SimulatorRig | NeonizeRig
OpenRig = Callable[[], AbstractAsyncContextManager[Rig]]
T = TypeVar("T", SimulatorRig, NeonizeRig)


@asynccontextmanager
async def opened(rig: T) -> AsyncIterator[T]:
    try:
        yield rig
    finally:
        await rig.stop()
        rig.close()


@pytest.fixture(params=["simulator", "neonize"])
async def open_rig(
    request: pytest.FixtureRequest, tmp_path: Path, perhaps_paired: Paired | None
) -> AsyncIterator[OpenRig]:
    """Opens a rig, as often as the bot is restarted; what stands for WhatsApp stays."""
    if request.param == "simulator":
        yield lambda: opened(SimulatorRig(tmp_path))
        return
    if perhaps_paired is None:
        pytest.skip("neonize does not run here")
    async with linked_bot(perhaps_paired, tmp_path) as bot:
        yield lambda: opened(NeonizeRig(bot))


@pytest.fixture
async def rig(open_rig: OpenRig) -> AsyncIterator[Rig]:
    async with open_rig() as opened:
        yield opened


class TestReceiving:
    async def test_hands_over_what_waits_and_what_comes_in_order(self, rig: Rig) -> None:
        inbox = Inbox()
        first, second = make_raw("A1", "uno"), make_raw("A2", "dos", forwarded=True)
        await rig.post(first)
        await rig.run(inbox)
        await rig.post(second)

        await until(lambda: len(inbox.events) == 2)
        assert inbox.events == [rig.seen(first), rig.seen(second)]

    async def test_posts_wait_while_the_link_is_down(self, rig: Rig) -> None:
        inbox = Inbox()
        rig.disconnect()
        await rig.run(inbox)
        await rig.post(make_raw("A1"))
        await asyncio.sleep(0.05)
        assert inbox.ids == []

        rig.reconnect()
        await until(lambda: inbox.ids == ["A1"])


class TestSending:
    async def test_a_text_with_a_quote_and_a_mention(self, rig: Rig) -> None:
        await rig.run(Inbox())
        quoted = Quote(key=make_raw("A1").key, text="uno")

        message_id = await rig.gateway.send(CHAT, "hola @5", key="k", quoted=quoted, mentions=("5@lid",))

        (entry,) = await rig.sent()
        assert (entry.id, entry.group, entry.kind, entry.text, entry.quoted, entry.mentions) == (
            message_id,
            CHAT,
            RawKind.MESSAGE,
            "hola @5",
            "A1",
            ("5@lid",),
        )

    async def test_a_reaction(self, rig: Rig) -> None:
        await rig.run(Inbox())

        await rig.gateway.react(make_raw("A1").key, "✅", key="k")

        (entry,) = await rig.sent()
        assert (entry.kind, entry.target, entry.emoji) == (RawKind.REACTION, "A1", "✅")

    async def test_nothing_goes_out_while_the_link_is_down(self, rig: Rig) -> None:
        rig.disconnect()
        await rig.run(Inbox())

        with pytest.raises(UnavailableError) as caught:
            await rig.gateway.send(CHAT, "hola", key="k", quoted=None, mentions=())

        assert caught.value.dependency == "whatsapp"
        assert await rig.sent() == []
        assert await rig.gateway.find_sent("k") is None

    async def test_a_send_is_found_after_a_restart(self, open_rig: OpenRig) -> None:
        async with open_rig() as rig:
            await rig.run(Inbox())
            message_id = await rig.gateway.send(CHAT, "hola", key="k", quoted=None, mentions=())
        async with open_rig() as rig:
            assert await rig.gateway.find_sent("k") == message_id
            assert await rig.gateway.find_sent("other") is None


class TestAttachments:
    async def test_the_bytes_of_an_attachment(self, rig: Rig) -> None:
        await rig.run(Inbox())

        assert await rig.gateway.download(await rig.upload(b"jpeg"), max_bytes=4) == b"jpeg"

    @pytest.mark.parametrize("claimed", [5, 0])
    async def test_one_that_is_too_large_whatever_it_claims(self, rig: Rig, claimed: int) -> None:
        await rig.run(Inbox())
        media = (await rig.upload(b"large")).model_copy(update={"size_bytes": claimed})

        with pytest.raises(MediaGoneError, match="larger"):
            await rig.gateway.download(media, max_bytes=4)

    async def test_one_that_is_gone(self, rig: Rig) -> None:
        await rig.run(Inbox())

        with pytest.raises(MediaGoneError, match="no longer"):
            await rig.gateway.download(RawMedia(handle="ab" * 32, kind="image"), max_bytes=4)


async def test_knows_its_groups_and_itself(rig: Rig) -> None:
    await rig.run(Inbox())

    assert [group.jid for group in await rig.gateway.groups()] == [CHAT]
    assert rig.gateway.own_jids
    assert all("@" in jid for jid in rig.gateway.own_jids)


async def test_is_connected_only_while_it_runs(rig: Rig) -> None:
    states = [rig.gateway.state().connected]
    await rig.run(Inbox())
    states.append(rig.gateway.state().connected)
    await rig.stop()
    states.append(rig.gateway.state().connected)

    assert states == [False, True, False]


class TestFaultsOfTheSimulator:
    """What only the simulator can be told to do; how the real library fares is in `whatsapp_link`."""

    @pytest.fixture
    async def rig(self, tmp_path: Path) -> AsyncIterator[SimulatorRig]:
        async with opened(SimulatorRig(tmp_path)) as rig:
            yield rig

    async def test_an_event_that_the_sink_did_not_take_comes_again(self, tmp_path: Path) -> None:
        def fail(raw: RawEvent) -> None:
            raise OSError("the disk is full")

        async with opened(SimulatorRig(tmp_path)) as rig:
            running = await rig.run(Inbox(then=fail))
            await rig.post(make_raw("A1"))
            with pytest.raises(OSError, match="the disk is full"):
                await running
        async with opened(SimulatorRig(tmp_path)) as rig:
            inbox = Inbox()
            await rig.run(inbox)
            await until(lambda: inbox.ids == ["A1"])

    async def test_the_sink_runs_outside_the_event_loop(self, rig: SimulatorRig) -> None:
        loops: list[object] = []

        def look(raw: RawEvent) -> None:
            with suppress(RuntimeError):
                loops.append(asyncio.get_running_loop())

        inbox = Inbox(then=look)
        await rig.post(make_raw("A1"))
        await rig.run(inbox)
        await until(lambda: len(inbox.events) == 1)

        assert loops == []

    async def test_may_deliver_twice(self, rig: SimulatorRig) -> None:
        inbox = Inbox()
        rig.fault(duplicate_deliveries=1)
        await rig.run(inbox)
        await rig.post(make_raw("A1"))
        await rig.post(make_raw("A2"))

        await until(lambda: inbox.ids == ["A1", "A1", "A2"])

    async def test_may_deliver_out_of_order(self, rig: SimulatorRig) -> None:
        inbox = Inbox()
        rig.fault(reorder=3)
        await rig.run(inbox)
        for message_id in ("A1", "A2", "A3", "A4"):
            await rig.post(make_raw(message_id))

        await until(lambda: len(inbox.events) == 4)
        assert inbox.ids == ["A3", "A2", "A1", "A4"]

    async def test_a_lost_answer_can_be_cleared_up(self, rig: SimulatorRig) -> None:
        await rig.run(Inbox())
        rig.fault(ambiguous_sends=1)

        with pytest.raises(SendUnknownError):
            await rig.gateway.send(CHAT, "hola", key="k", quoted=None, mentions=())

        (entry,) = await rig.sent()
        assert await rig.gateway.find_sent("k") == entry.id

    async def test_the_server_shows_a_message_that_was_sent_twice(self, rig: SimulatorRig) -> None:
        await rig.run(Inbox())
        for _ in range(2):
            await rig.gateway.send(CHAT, "hola", key="k", quoted=None, mentions=())

        assert [entry.key for entry in await rig.entries()] == ["k", "k"]

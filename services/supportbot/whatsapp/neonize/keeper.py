"""Everything of one process of the link, put together: what comes, what is asked, and an end that loses nothing."""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

import structlog

from supportbot.logs import describe_error
from supportbot.whatsapp.gateway import LinkState, PairingOffer
from supportbot.whatsapp.journal import Journal
from supportbot.whatsapp.neonize.address_book import AddressBook
from supportbot.whatsapp.neonize.arrivals import Arrivals, StoreListener
from supportbot.whatsapp.neonize.channel import Channel
from supportbot.whatsapp.neonize.commands import Commands, Phone, Wording
from supportbot.whatsapp.neonize.gaps import find_lost
from supportbot.whatsapp.neonize.line import Dialler, Line
from supportbot.whatsapp.neonize.link_events import HISTORY, Ears, link_event_of, login_event_of
from supportbot.whatsapp.neonize.link_states import UNPAIRED, Heard, Link, LinkEvent
from supportbot.whatsapp.neonize.offers import Offers
from supportbot.whatsapp.neonize.session_file import Device, last_rowid, read_device, read_people
from supportbot.whatsapp.neonize.wire import Beat, Call, LinkNotice, OfferNotice, Seen, Start, Unpair

BEAT_S = 5.0
HANG_UP_TIMEOUT_S = 30.0

_LINKED = frozenset({LinkState.CONNECTED, LinkState.SYNCING})

_log = structlog.get_logger(__name__)


class Library(Dialler, Phone, Protocol):
    """What is needed of the library."""

    async def account(self) -> Device | None:
        """Who the linked account is."""

    async def pair_phone(self, digits: str) -> str:
        """The code to type on the phone with that number."""

    @property
    def last_event(self) -> float:
        """When it called last, by `time.monotonic`."""


class Keeper:
    """One process of the link.

    Args:
        channel: To the service.
        start: What the service wants.
        journal: Where messages go.
        make_library: The library, speaking into those ears.
        wording: Builds messages.
    """

    def __init__(
        self,
        channel: Channel,
        start: Start,
        journal: Journal,
        *,
        make_library: Callable[[Ears], Library],
        wording: Wording,
    ) -> None:
        self._channel = channel
        self._start = start
        self._journal = journal
        self._groups = frozenset(start.groups)
        # Before the library opens it, and never again.
        self._account = read_device(start.session)
        self._people = AddressBook(read_people(start.session))
        self._ended = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._calls: set[asyncio.Task[None]] = set()
        self._asking: asyncio.Task[None] | None = None
        self._library = make_library(
            Ears(event=self._take, broken=self._broken, code=self._offer, login=self._login, spent=self._spent)
        )
        self._line = Line(
            self._library,
            tell=self._tell,
            stalled=self._release,
            last_arrival=lambda: self._library.last_event,
            may_dial=start.pairing is not None or self._account is not None,
        )
        self._arrivals = self._make_arrivals(journal)
        self._offers = self._make_offers()
        self._commands = Commands(
            self._library,
            wording,
            groups=self._groups,
            people=self._people,
            own_jids=lambda: self._account.own_jids if self._account else frozenset(),
            is_connected=lambda: self._line.is_connected,
        )

    def end(self) -> None:
        """End soon, losing nothing."""
        self._ended.set()

    async def run(self) -> None:
        """Keep the link until the service, `end` or the link itself ends it; then store what has come."""
        await asyncio.to_thread(self._prepare)
        works = (self._line.run(), self._obey(), self._ended.wait(), self._beat())
        tasks = [asyncio.create_task(work) for work in works]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                if (error := task.exception()) is not None:
                    _log.error("link_process_failed", **describe_error(error))
        finally:
            await self._finish(tasks)

    def _prepare(self) -> None:
        """Settle what an earlier process has left behind."""
        start = self._start
        if start.seen_rowid is not None:
            lost = find_lost(
                start.session,
                self._journal,
                groups=self._groups,
                seen_rowid=start.seen_rowid,
                directory=self._people.directory,
            )
            for raw in lost:
                self._arrivals.put_lost(raw)
            if lost:
                _log.error("messages_lost", count=len(lost))
        self._arrivals.release()
        self._channel.tell(Seen(rowid=last_rowid(start.session)))

    async def _finish(self, tasks: list[asyncio.Task[Any]]) -> None:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        if self._calls:  # A message on its way gets its answer, as long as there is a link.
            await asyncio.wait(self._calls, timeout=10)
        # Without a device the library waits for a pairing, and would never return from its end.
        if self._account is not None:
            try:
                async with asyncio.timeout(HANG_UP_TIMEOUT_S):
                    await self._library.hang_up()
            except TimeoutError:
                _log.error("library_stuck", reason="it did not hang up in time")
            self._arrivals.give_up()
        await self._channel.close()

    async def _obey(self) -> None:
        """Do what the service asks, until it says that this is the end, or is gone."""
        while isinstance(frame := await self._channel.read(), Call):
            task = asyncio.create_task(self._answer(frame))
            self._calls.add(task)
            task.add_done_callback(self._calls.discard)

    async def _answer(self, call: Call) -> None:
        answer, body = await self._commands.do(call)
        if isinstance(call.command, Unpair) and answer.failure is None:
            self._tell(UNPAIRED)
            self.end()
        self._channel.tell(answer, body)

    async def _beat(self) -> None:
        while True:
            self._channel.tell(Beat())
            await asyncio.sleep(BEAT_S)

    def _take(self, code: int, event: Any) -> None:
        self._arrivals.take(code, event)
        if code == HISTORY:  # It fills in secrets of messages that were never under way to this device.
            self._channel.tell(Seen())
        if (heard := link_event_of(code, event)) is not None:
            self._line.hear(heard)

    def _broken(self, error: BaseException) -> None:
        _log.error("library_event_failed", **describe_error(error))

    def _offer(self, payload: str) -> None:
        if self._offers is not None:
            self._offers.take(payload)

    def _login(self, word: str) -> None:
        if (heard := login_event_of(word)) is not None:
            _log.info("pairing_word", word=word)
            self._channel.tell(OfferNotice(offer=None))
            self._line.hear(heard)

    def _spent(self, chat: str, sender: str, message_id: str) -> None:
        self._arrivals.take_spent(chat, sender, message_id)

    def _tell(self, link: Link) -> None:
        if link.state in _LINKED and self._account is None:
            self._asking = self._loop.create_task(self._learn_account(link))
            return
        own, phone = (self._account.own_jids, self._account.phone) if self._account else (frozenset[str](), None)
        self._channel.tell(LinkNotice(link=link, own_jids=tuple(sorted(own)), phone=phone))

    async def _learn_account(self, link: Link) -> None:
        """After a pairing: tell of the link once it is known whose it is."""
        self._account = await self._library.account()
        if self._account is None:
            _log.error("account_unknown", reason="the library does not say who is linked")
            self.end()
            return
        self._tell(self._line.link if self._line.link.state in _LINKED else link)

    def _tell_offer(self, offer: PairingOffer) -> None:
        self._channel.tell(OfferNotice(offer=offer))

    def _release(self) -> None:
        self._loop.run_in_executor(None, self._arrivals.release)

    def _make_arrivals(self, journal: Journal) -> Arrivals:
        return Arrivals(
            journal,
            install_key=bytes.fromhex(self._start.install_key),
            groups=self._groups,
            people=self._people,
            listener=StoreListener(
                failed=lambda: self._line.hear(LinkEvent(heard=Heard.STORE_FAILED)),
                works=lambda: self._line.hear(LinkEvent(heard=Heard.STORE_WORKS)),
                noticed=self._channel.notice,
            ),
        )

    def _make_offers(self) -> Offers | None:
        if self._start.pairing is None:
            return None
        return Offers(
            self._start.pairing,
            pair_phone=self._library.pair_phone,
            tell=self._tell_offer,
            failed=self._login,
        )

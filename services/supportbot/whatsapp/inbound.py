"""From the gateway into the journal: the sink that a gateway calls before it acknowledges, and the attachments.

Links to attachments expire, so they are downloaded on receipt, whether or not the bus is there.
"""

import asyncio
import time
from datetime import UTC, datetime
from pathlib import Path

import structlog

from supportbot.errors import PermanentError, TemporaryError, UnavailableError
from supportbot.metrics import MESSAGES, WHATSAPP_LAST_EVENT
from supportbot.whatsapp.convert import Roster
from supportbot.whatsapp.gateway import Gateway, RawEvent, RawMedia
from supportbot.whatsapp.journal import Journal, Row

MAX_MEDIA_BYTES = 20 * 1024 * 1024
"""Zoho Desk takes attachments of up to 20 MB."""

DOWNLOADS = 4
"""So many attachments are downloaded side by side; each is in memory for a moment."""
DOWNLOAD_TIMEOUT_S = 60.0
DOWNLOAD_DELAYS_S = (1.0, 2.0, 5.0, 10.0, 30.0)
"""Pauses between the attempts to download; after the last the message goes on without its attachment."""
LINK_AWAY_S = 600.0
"""So long an attachment waits for a link that is away; what it names stays at WhatsApp for days."""
LINK_AWAY_PAUSE_S = 1.0

IDLE_S = 30.0
"""The loops also look without being woken, so that a lost signal delays and never loses."""

_log = structlog.get_logger(__name__)


class Bell:
    """Wakes one loop from any thread; rings that nobody waited for are kept as one."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Wake the waiter. Thread-safe."""
        self._loop.call_soon_threadsafe(self._rung.set)

    def clear(self) -> None:
        """Forget earlier rings; called before looking for work."""
        self._rung.clear()

    async def wait(self, timeout_s: float = IDLE_S) -> None:
        """Return after the next ring since `clear`, or after `timeout_s`."""
        try:
            # Not wait_for: before Python 3.12 it loses a cancellation that comes with the ring (python/cpython#86296).
            async with asyncio.timeout(timeout_s):
                await self._rung.wait()
        except TimeoutError:
            return


class JournalSink:
    """Stores what comes from the bot's groups; of other groups nothing is kept but a count.

    Args:
        journal: The journal.
        roster: Makes references.
        groups: JIDs of the bot's groups.
        bells: Rung after each new row.
    """

    def __init__(
        self,
        journal: Journal,
        *,
        roster: Roster,
        groups: frozenset[str],
        bells: tuple[Bell, ...],
    ) -> None:
        self._journal = journal
        self._roster = roster
        self._groups = groups
        self._bells = bells

    def put(self, raw: RawEvent) -> None:
        """As `InboundSink` says."""
        if raw.key.chat not in self._groups:
            self.noticed(stored=0, repeated=0, ignored=1)
            return
        now = datetime.now(UTC)
        stored = self._journal.put(raw, message_ref=self._roster.message_ref(raw.key), received_at=now)
        self.noticed(stored=int(stored), repeated=int(not stored), ignored=0)

    def noticed(self, *, stored: int, repeated: int, ignored: int) -> None:
        """As `InboundSink` says."""
        if stored or repeated:
            WHATSAPP_LAST_EVENT.set_to_current_time()
        for outcome, number in (("ok", stored), ("duplicate", repeated), ("ignored", ignored)):
            MESSAGES.labels("received", outcome).inc(number)
        if stored or not (repeated or ignored):
            for bell in self._bells:
                bell.ring()


class Attachments:
    """Downloads the attachments of journalled messages into a folder, until the bus has them.

    Args:
        folder: One file for each waiting message, named by its `seq`.
        journal: Where the outcome is noted.
        gateway: Where the bytes come from.
        arrived: Rung when the journal has something new.
        fetched: Rung when a message may go on.
        delays_s: Pauses between the attempts to download.
        away_s: How long to wait for a link that is away.
    """

    def __init__(
        self,
        folder: Path,
        *,
        journal: Journal,
        gateway: Gateway,
        arrived: Bell,
        fetched: Bell,
        delays_s: tuple[float, ...] = DOWNLOAD_DELAYS_S,
        away_s: float = LINK_AWAY_S,
    ) -> None:
        self._folder = folder
        self._journal = journal
        self._gateway = gateway
        self._arrived = arrived
        self._fetched = fetched
        self._delays_s = delays_s
        self._away_s = away_s

    async def run(self) -> None:
        """Fetch what is still to be fetched, the oldest first and some side by side, until cancelled."""
        self._folder.mkdir(parents=True, exist_ok=True)
        running: set[int] = set()
        async with asyncio.TaskGroup() as downloads:
            while True:
                self._arrived.clear()
                busy = frozenset(running)  # One that ends while the journal is read may still be in what was read.
                for row in await self._journal.unfetched(limit=DOWNLOADS):
                    if row.seq not in busy and len(running) < DOWNLOADS:
                        running.add(row.seq)
                        downloads.create_task(self._fetch_and_tell(row, running))
                await self._arrived.wait()

    def read(self, row: Row) -> bytes | None:
        """The bytes of a fetched attachment; None when the file is gone."""
        try:
            return self._path(row).read_bytes()
        except FileNotFoundError:
            return None

    def remove(self, row: Row) -> None:
        """Forget the bytes: the bus has them."""
        self._path(row).unlink(missing_ok=True)

    async def _fetch_and_tell(self, row: Row, running: set[int]) -> None:
        try:
            await self._fetch(row)
        finally:
            running.discard(row.seq)
        self._fetched.ring()
        self._arrived.ring()  # There may be more, and now there is room for it.

    async def _fetch(self, row: Row) -> None:
        media = _media_of(row)
        if media is None:
            await self._journal.mark_fetched(row.seq, missing="the message could not be read")
            return
        try:
            data = await self._download(media)
        except (PermanentError, TemporaryError) as exc:
            _log.warning("attachment_missing", message_ref=row.message_ref, error_type=type(exc).__name__)
            await self._journal.mark_fetched(row.seq, missing=str(exc))
            return
        # The whole file is there under its name or not at all: a crash in between fetches again.
        partial = self._path(row).with_suffix(".part")
        partial.write_bytes(data)
        partial.replace(self._path(row))
        await self._journal.mark_fetched(row.seq)

    async def _download(self, media: RawMedia) -> bytes:
        """The bytes; tried again after errors, and after the link has been away."""
        delays = iter(self._delays_s)
        give_up_at = time.monotonic() + self._away_s
        while True:
            try:
                return await self._download_once(media)
            except UnavailableError:
                if time.monotonic() > give_up_at:
                    raise
                await asyncio.sleep(LINK_AWAY_PAUSE_S)
            except TemporaryError:
                delay_s = next(delays, None)
                if delay_s is None:
                    raise
                await asyncio.sleep(delay_s)

    async def _download_once(self, media: RawMedia) -> bytes:
        try:
            async with asyncio.timeout(DOWNLOAD_TIMEOUT_S):
                return await self._gateway.download(media, max_bytes=MAX_MEDIA_BYTES)
        except TimeoutError as exc:
            raise TemporaryError(f"the attachment did not arrive within {DOWNLOAD_TIMEOUT_S:.0f} s") from exc

    def _path(self, row: Row) -> Path:
        return self._folder / str(row.seq)


def _media_of(row: Row) -> RawMedia | None:
    try:
        return RawEvent.model_validate_json(row.raw).media
    except ValueError:
        return None

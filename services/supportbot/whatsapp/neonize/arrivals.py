"""From the library's callback into the journal, before the callback returns. Runs on the library's own thread.

WhatsApp is told of a message about a millisecond after it has arrived, whatever is done here: all that can be lost is
what the library holds at the moment of a SIGKILL.
"""

import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from supportbot.ids import make_message_ref
from supportbot.whatsapp.gateway import MessageKey, RawEvent, RawKind
from supportbot.whatsapp.journal import Journal
from supportbot.whatsapp.neonize import link_events as codes
from supportbot.whatsapp.neonize.address_book import AddressBook
from supportbot.whatsapp.neonize.history import read_history
from supportbot.whatsapp.neonize.identity import jid_text, person_of, plain_jid
from supportbot.whatsapp.neonize.normalise import (
    chat_of,
    normalise_group_change,
    normalise_message,
    normalise_undecryptable,
    unknown_field_of,
)
from supportbot.whatsapp.neonize.wire import Noticed

HOLD_BACKLOG = timedelta(minutes=2)
"""A backlog whose end is never announced goes on after so long."""
HOLD_UNDECRYPTABLE = timedelta(minutes=5)
"""The sender is asked to send it again; so long its readable copy may take."""
HOLD_SPENT = timedelta(minutes=1)
"""It may still be on its way to the journal."""
RETRY_S = 1.0
"""Between the attempts to write a journal that cannot be written."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class StoreListener:
    """Told, on the library's thread, what becomes of the journal."""

    failed: Callable[[], None]
    works: Callable[[], None]
    noticed: Callable[[Noticed], None]


class Arrivals:
    """Takes the library's events.

    Args:
        journal: Where they go.
        install_key: Of the references.
        groups: The chats whose messages are kept; of others there is but a count.
        people: What is known of LIDs and phones; senders are added to it.
        listener: Told what was stored.
    """

    def __init__(
        self,
        journal: Journal,
        *,
        install_key: bytes,
        groups: frozenset[str],
        people: AddressBook,
        listener: StoreListener,
    ) -> None:
        self._journal = journal
        self._install_key = install_key
        self._groups = groups
        self._people = people
        self._directory = people.directory
        self._listener = listener
        self._holding = False
        self._giving_up = threading.Event()

    def take(self, code: int, event: Any) -> None:
        """Store what an event brings. Returns once it is on disk."""
        match code:
            case codes.MESSAGE:
                self._take_message(event)
            case codes.UNDECRYPTABLE:
                if self._is_ours(chat_of(event.Info)):
                    self._put(normalise_undecryptable(event, self._directory))
            case codes.GROUP_CHANGE:
                if self._is_ours(jid_text(event.JID)):
                    self._put(normalise_group_change(event, self._directory))
            case codes.HISTORY:
                self._take_history(event.Data)
            case codes.BACKLOG:
                self._holding = event.Message > 0
            case codes.BACKLOG_DONE | codes.DISCONNECTED:
                self.release()

    def release(self) -> None:
        """The backlog is whole, or will not become so: let it go on in the order of its times. Thread-safe."""
        self._holding = False
        self._insist(self._journal.release)
        self._listener.noticed(Noticed())

    def put_lost(self, raw: RawEvent) -> None:
        """Store that a message was lost."""
        self._put(raw)

    def take_spent(self, chat: str, sender: str, message_id: str) -> None:
        """WhatsApp has handed over again what the library has decrypted before, and cannot any more.

        That is what a lost receipt does. A message that the journal does not know was lost: its process died after it
        was decrypted. Thread-safe.
        """
        chat, sender = plain_jid(chat), plain_jid(sender)
        if chat in self._groups and not self._journal.knows(chat, message_id):
            _log.error("message_lost", reason="it was decrypted by a process that died before it was stored")
            key = MessageKey(chat=chat, sender=sender, message_id=message_id)
            person = person_of(sender, self._directory)
            raw = RawEvent(kind=RawKind.LOST, key=key, sender=person, sent_at=datetime.now(UTC))
            self._put(raw, held_for=HOLD_SPENT)

    def give_up(self) -> None:
        """Stop trying to write a journal that cannot be written: the process must end. Thread-safe."""
        self._giving_up.set()

    def _take_message(self, event: Any) -> None:
        if not self._is_ours(chat_of(event.Info)):
            return
        source = event.Info.MessageSource
        sender = jid_text(source.Sender)
        self._people.learn(sender, jid_text(source.SenderAlt))
        self._people.learn_group(chat_of(event.Info), sender)
        raw = normalise_message(event, self._directory)
        if raw is not None and raw.note == "unknown":
            _log.warning("message_kind_unknown", field=unknown_field_of(event))
        self._put(raw)

    def _take_history(self, history: Any) -> None:
        """Messages that came while no device was linked: those after the last that is known of each group."""
        for chat, raws in read_history(history, groups=self._groups, directory=self._directory).items():
            latest = self._journal.last_sent_at(chat)
            for raw in raws:
                if latest is not None and raw.sent_at > latest and not self._journal.knows(chat, raw.key.message_id):
                    self._put(raw)

    def _is_ours(self, chat: str) -> bool:
        if chat in self._groups:
            return True
        self._listener.noticed(Noticed(ignored=1))
        return False

    def _put(self, raw: RawEvent | None, *, held_for: timedelta | None = None) -> None:
        if raw is None:
            self._listener.noticed(Noticed(ignored=1))
            return
        key = raw.key
        ref = make_message_ref(self._install_key, chat=key.chat, sender=key.sender, message_id=key.message_id)
        now = datetime.now(UTC)
        held_for = held_for or self._held_for(raw)
        stored = self._insist(
            lambda: self._journal.put(
                raw, message_ref=ref, received_at=now, held_until=now + held_for if held_for else None
            )
        )
        self._listener.noticed(
            Noticed(
                stored=int(stored),
                repeated=int(not stored),
                undecryptable=int(stored and raw.kind is RawKind.UNDECRYPTABLE),
                lost=int(stored and raw.kind is RawKind.LOST),
            )
        )

    def _held_for(self, raw: RawEvent) -> timedelta | None:
        if raw.kind is RawKind.UNDECRYPTABLE:
            return HOLD_UNDECRYPTABLE
        return HOLD_BACKLOG if self._holding else None

    def _insist(self, write: Callable[[], int]) -> int:
        """Write until it succeeds: WhatsApp already believes that the message has arrived.

        Nothing more comes meanwhile: the library waits for this call, and the link is cut on `failed`.
        """
        failures = 0
        while True:
            try:
                result = write()
            except sqlite3.Error as exc:
                failures += 1
                if failures == 1:
                    _log.error("journal_failed", error_type=type(exc).__name__)
                    self._listener.failed()
                if self._giving_up.wait(RETRY_S):
                    _log.error("event_lost", reason="the journal could not be written until the end")
                    raise
            else:
                if failures:
                    _log.info("journal_works", failures=failures)
                    self._listener.works()
                return result

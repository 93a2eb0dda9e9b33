"""The emulator as tests hold it: people and groups, what they do, what goes wrong, and what was seen."""

import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from . import notices
from .account import Account
from .certificates import CHAT_HOST, MEDIA_HOST, write_certificates
from .chat_server import ChatServer
from .contents import Content, Text, render
from .faults import Faults
from .history import history_of, notice
from .media import MediaFault, MediaStore
from .media_server import MediaServer
from .observations import Observations
from .pairing import CodeExchange, Link, PairingError
from .people import Addressing, Directory, Group, Person
from .posting import Pen, Posted, make_message_id
from .protocol.binary_xml import Node
from .proxy import Proxy
from .redirection import Redirection
from .session import device_removed, replaced
from .state import State

Readable = Literal["yes", "on_retry", "never"]


class NotLinkedError(RuntimeError):
    """The phone has no companion, so nothing can reach it."""


class WhatsAppEmulator:
    """A WhatsApp of one account. Use it as an asynchronous context manager, or `start` and `stop` it.

    Attributes:
        faults: What is to go wrong; assign to its fields at any time.
        seen: What the client has done, and `until` to wait for it.
    """

    def __init__(self, account: Account | None = None) -> None:
        people = Directory()
        self._state = State(account or Account(owner=people.add_person("Bot")), people)
        self._folder = tempfile.TemporaryDirectory(prefix="whatsapp-emulator-")
        self._chat = ChatServer(self._state)
        self._media_server = MediaServer(self._state.media, self._state.seen)
        self._ports: dict[str, int] = {}
        self._proxy = Proxy(self._ports)
        self._redirection: Redirection | None = None

    async def start(self) -> None:
        """Listen on loopback."""
        authority, context = write_certificates(Path(self._folder.name))
        self._ports[CHAT_HOST] = await self._chat.start(context)
        self._ports[MEDIA_HOST] = await self._media_server.start(context)
        port = await self._proxy.start()
        self._redirection = Redirection(port, authority, self._chat.authority.root_key)

    async def stop(self) -> None:
        """Drop everybody and listen no more."""
        await self._proxy.stop()
        await self._chat.stop()
        await self._media_server.stop()
        self._folder.cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def redirection(self) -> Redirection:
        """What a process with neonize needs."""
        assert self._redirection is not None, "the emulator has not been started"
        return self._redirection

    def environment(self) -> dict[str, str]:
        """This process's environment, redirected: give it to a process with neonize, or to one that starts it."""
        return self.redirection.environment()

    @property
    def account(self) -> Account:
        """The bot's account; with a copy of the client's session file it makes a new emulator that knows the device."""
        return self._state.account

    @property
    def faults(self) -> Faults:
        return self._state.faults

    @property
    def seen(self) -> Observations:
        return self._state.seen

    @property
    def media(self) -> MediaStore:
        return self._state.media

    async def until(self, is_so: Callable[[], bool], timeout_s: float = 15) -> None:
        """Wait until something is so; see `Observations.until`."""
        await self._state.seen.until(is_so, timeout_s)

    # People and groups

    def add_person(self, name: str, *, lid_user: str | None = None, phone_user: str | None = None) -> Person:
        """Somebody with a phone; numbers that are not given are invented."""
        return self._state.people.add_person(name, lid_user=lid_user, phone_user=phone_user)

    def add_group(
        self, subject: str, members: Sequence[Person], *, jid: str | None = None, addressing: Addressing = "lid"
    ) -> Group:
        """A group of these people and the bot's account."""
        return self._state.people.add_group(subject, tuple(members), jid=jid, addressing=addressing)

    # Linking

    async def scan(self, payload: str) -> None:
        """The phone scans a QR code that a client shows.

        Raises:
            PairingError: No client that waits has shown it.
        """
        await self._chat.link(Link.scanned(self._state.account, payload, self._chat.registrations))

    async def type_code(self, code: str) -> None:
        """Somebody types into the phone the eight characters that a client shows.

        Raises:
            PairingError: No client waits for a code.
        """
        waiting = [registration for registration in self._chat.registrations if registration.code_reference]
        if not waiting:
            raise PairingError("no client waits for a code")
        self._chat.exchange = CodeExchange(waiting[-1], self._state.account.owner.keys().identity, code)
        await self._chat.exchange.begin()

    @property
    def is_waiting_to_be_linked(self) -> bool:
        """Whether a client shows codes."""
        return bool(self._chat.registrations)

    @property
    def is_ready(self) -> bool:
        """Whether the linked client is connected and takes messages."""
        return self._chat.session is not None and self._chat.session.connection.is_ready

    async def until_ready(self, timeout_s: float = 15) -> None:
        """Wait until the linked client is connected and takes messages."""
        await self.until(lambda: self.is_ready, timeout_s)

    # What members do

    async def post(
        self,
        group: Group,
        sender: Person,
        content: Content | str,
        *,
        message_id: str | None = None,
        sent_at: int | None = None,
        readable: Readable = "yes",
        shows_phone: bool = True,
    ) -> str:
        """Post in a group; it waits in the queue until the client's receipt.

        Args:
            group: Where.
            sender: Who.
            content: What; a string is a plain text.
            message_id: Its id; one is made up.
            sent_at: Its own time, seconds since the epoch; now.
            readable: `on_retry`: only after the client has asked again. `never`: not even then, until `resend`.
            shows_phone: Whether the server tells the sender's phone number beside the LID.

        Returns:
            The message's id.

        Raises:
            NotLinkedError: The phone has no companion.
        """
        pen = self._pen()
        what = Text(text=content) if isinstance(content, str) else content
        rendered = render(what, chat=group.jid, sender=sender.lid, media=self._state.media)
        when = int(time.time()) if sent_at is None else sent_at
        posted = Posted(
            message_id or make_message_id(), group.jid, sender, rendered, when, shows_phone, group.addressing
        )
        if readable == "never":
            self._state.withheld.add(posted.id)
        self._state.post(posted, pen.write(posted) if readable == "yes" else pen.write_unreadable(posted))
        return posted.id

    async def write_to_bot(self, sender: Person, content: Content | str) -> str:
        """Write to the bot alone, outside of any group; returns the message's id.

        Raises:
            NotLinkedError: The phone has no companion.
        """
        pen = self._pen()
        what = Text(text=content) if isinstance(content, str) else content
        rendered = render(what, chat=sender.lid, sender=sender.lid, media=self._state.media)
        posted = Posted(make_message_id(), sender.lid, sender, rendered, int(time.time()))
        self._state.post(posted, pen.write_direct(posted))
        return posted.id

    def _pen(self) -> Pen:
        if self._state.pen is None:
            raise NotLinkedError("no companion is linked: pair it first")
        return self._state.pen

    async def repeat(self, message_id: str) -> None:
        """The sender's phone sends a message once more, under its id, in another envelope."""
        self._state.write_again(message_id)

    async def resend(self, message_id: str) -> None:
        """The sender's phone answers the client's wish for a message that it could not read."""
        self._state.write_again(message_id, count=1)

    async def redeliver(self, message_id: str) -> None:
        """The server gives out once more what it has already given out, byte by byte."""
        self._state.give_again(message_id)

    async def remember(self, group: Group, sender: Person, text: str, *, sent_at: int) -> str:
        """Something that was said in a group before the companion was linked; returns its id."""
        rendered = render(Text(text=text), chat=group.jid, sender=sender.lid, media=self._state.media)
        posted = Posted(make_message_id(), group.jid, sender, rendered, sent_at)
        self._state.remembered.append(posted)
        return posted.id

    async def tell_history(self, group: Group) -> None:
        """The phone sends its companion what it remembers of a group.

        Raises:
            NotLinkedError: The phone has no companion.
        """
        device, owner = self.account.device, self.account.owner
        if device is None:
            raise NotLinkedError("no companion is linked: pair it first")
        told = history_of(group, [posted for posted in self._state.remembered if posted.chat == group.jid])
        self._state.mailbox.put(notice(owner.keys(), device.take_bundle(), {"from": owner.lid_jid}, told))

    def hold(self) -> None:
        """Give nothing out to the client until `release`: what is posted waits in the queue."""
        self._state.mailbox.hold(is_held=True)

    def release(self) -> None:
        """Give out what waits, and what follows."""
        self._state.mailbox.hold(is_held=False)

    def waiting(self) -> int:
        """How many stanzas have no receipt yet."""
        return len(self._state.mailbox)

    # What happens to groups

    async def join(self, group: Group, person: Person) -> Group:
        """Somebody comes into a group."""
        members = (*self._state.people.groups[group.jid].members, person)
        self._state.mailbox.put(notices.membership(group, person, "add", person))
        return self._state.people.change_group(group.jid, members=members)

    async def leave(self, group: Group, person: Person) -> Group:
        """Somebody leaves a group."""
        members = tuple(member for member in self._state.people.groups[group.jid].members if member != person)
        self._state.mailbox.put(notices.membership(group, person, "remove", person))
        return self._state.people.change_group(group.jid, members=members)

    async def promote(self, group: Group, author: Person, person: Person) -> None:
        """Somebody becomes an admin."""
        self._state.mailbox.put(notices.membership(group, author, "promote", person))

    async def rename(self, group: Group, author: Person, subject: str) -> Group:
        """A group gets another subject."""
        self._state.mailbox.put(notices.subject(group, author, subject))
        return self._state.people.change_group(group.jid, subject=subject)

    async def invite_bot(self, group: Group) -> None:
        """The account learns that it has been put into a group."""
        author = group.members[0] if group.members else self.account.owner
        node = self._chat.queries.group_node(self._state.people.groups[group.jid])
        self._state.mailbox.put(notices.creation(group, author, node))

    # What the server does

    async def demand_passkey(self) -> None:
        """Every client that waits to be linked must show a passkey."""
        for registration in self._chat.registrations:
            connection = registration.connection
            await connection.send(notices.passkey_request(connection.next_id()))

    async def stream_error(self, code: str) -> None:
        """An error that ends the connection: 503, 515, or one that nobody knows."""
        await self.send_stream_error(Node("stream:error", {"code": code}))

    def set_reachable(self, *, is_reachable: bool) -> None:
        """Whether a connection can be made at all."""
        self._proxy.is_down = not is_reachable

    def set_media_fault(self, fault: MediaFault, direct_path: str | None = None) -> None:
        """What goes wrong with one file, or with all that have no fault of their own."""
        if direct_path is None:
            self.media.default_fault = fault
        else:
            self.media.set_fault(direct_path, fault)

    def set_clock(self, *, ahead_s: int) -> None:
        """How far WhatsApp's certificates are ahead of this machine's clock; a day or more is refused."""
        self._chat.authority.clock_skew_s = ahead_s

    def unlink(self) -> None:
        """The phone's owner removes the companion while it is away."""
        self._state.unlink()

    async def send_stream_error(self, stanza: Node) -> None:
        """Say a last word to the client and close.

        Raises:
            NotLinkedError: No client is connected.
        """
        session = self._chat.session
        if session is None:
            raise NotLinkedError("no client is connected")
        await session.connection.end_with(stanza)

    async def replace(self) -> None:
        """Another client takes the session over."""
        await self.send_stream_error(replaced())

    async def log_out(self) -> None:
        """The phone's owner removes the companion."""
        self._state.unlink()
        await self.send_stream_error(device_removed())

    def drop(self) -> None:
        """The connection breaks, as a network does."""
        if self._chat.session is not None:
            self._chat.session.connection.drop()

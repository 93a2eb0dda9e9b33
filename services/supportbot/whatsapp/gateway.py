"""The port to WhatsApp: what the service needs from any gateway, and the raw values that cross it.

`simulator` implements it; the real library gets an adapter of its own. JIDs appear here and in the journal, nowhere
else: everything behind `convert` knows references only.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol, runtime_checkable

from pydantic import AwareDatetime

from supportbot.contracts import Contract
from supportbot.errors import PermanentError, TemporaryError


class MessageKey(Contract):
    """What identifies a message in WhatsApp. The sender's device chooses the id, so all three parts are needed."""

    chat: str
    """The group's JID, `<digits>@g.us`."""
    sender: str
    """The participant's JID without a device part; the LID where the group is addressed by LIDs."""
    message_id: str


class RawPerson(Contract):
    """A participant as the gateway sees them."""

    jid: str
    phone: str | None = None
    """Digits or E.164; None where WhatsApp shows only a LID."""
    push_name: str | None = None


class RawMedia(Contract):
    """An attachment that is still at WhatsApp. Kind, type, name and size are the sender's claims."""

    handle: str
    """The gateway's own reference, to be given to `Gateway.download`."""
    kind: str
    mime_type: str = "application/octet-stream"
    filename: str | None = None
    size_bytes: int = 0


class RawKind(StrEnum):
    """What happened in the group."""

    MESSAGE = "message"
    EDIT = "edit"
    DELETION = "deletion"
    REACTION = "reaction"
    UNDECRYPTABLE = "undecryptable"
    LOST = "lost"
    """WhatsApp was told that it had arrived, but the gateway died before it was stored: only its key is known."""


class RawEvent(Contract):
    """One thing that happened in a group, before any interpretation; its JSON is the journal's row."""

    kind: RawKind = RawKind.MESSAGE
    key: MessageKey
    """Edits, deletions and reactions are messages with a key of their own; `target` names what they change."""
    sender: RawPerson
    sent_at: AwareDatetime
    text: str = ""
    media: RawMedia | None = None
    quoted: MessageKey | None = None
    target: MessageKey | None = None
    """Set exactly for edits, deletions and reactions."""
    emoji: str = ""
    """Of a reaction; empty when it is taken back."""
    mentions: tuple[RawPerson, ...] = ()
    forwarded: bool = False
    note: str | None = None
    """What a message is when it is neither text nor an attachment: `location`, `contact`, `poll`…"""


class Quote(Contract):
    """The message that an answer quotes. WhatsApp shows the text that the answering device sends along."""

    key: MessageKey
    text: str = ""


class Group(Contract):
    """A group that the bot's account is a member of."""

    jid: str
    name: str = ""


class LinkState(StrEnum):
    """Where the link to WhatsApp stands."""

    STARTING = "starting"
    UNPAIRED = "unpaired"
    """No device is linked: a person must pair it."""
    PAIRING = "pairing"
    """A code is shown and waits to be scanned or typed."""
    PASSKEY_REQUIRED = "passkey_required"
    """WhatsApp asks for a passkey, which this client cannot give."""
    CONNECTING = "connecting"
    SYNCING = "syncing"
    """Linked, and receiving what WhatsApp kept while the bot was away."""
    CONNECTED = "connected"
    RECONNECTING = "reconnecting"
    REPLACED = "replaced"
    """Another client uses this session."""
    LOGGED_OUT = "logged_out"
    """The phone or WhatsApp has unlinked the device."""
    BANNED = "banned"
    """WhatsApp has banned the account for a time, or refuses it."""
    OUTDATED = "outdated"
    """WhatsApp no longer takes this version of the client."""
    CLOCK_SKEWED = "clock_skewed"
    """This machine's clock is so wrong that WhatsApp's certificates or messages are refused."""
    STORE_FAILED = "store_failed"
    """The session or the journal cannot be written; the link is cut, so that WhatsApp keeps what follows."""
    STOPPED = "stopped"


LINK_REASONS: Mapping[LinkState, str] = {
    LinkState.STARTING: "Starting",
    LinkState.UNPAIRED: "PairingRequired",
    LinkState.PAIRING: "PairingInProgress",
    LinkState.PASSKEY_REQUIRED: "PasskeyRequired",
    LinkState.CONNECTING: "Connecting",
    LinkState.SYNCING: "Syncing",
    LinkState.CONNECTED: "Linked",
    LinkState.RECONNECTING: "Reconnecting",
    LinkState.REPLACED: "ReplacedByAnotherClient",
    LinkState.LOGGED_OUT: "LoggedOut",
    LinkState.BANNED: "Banned",
    LinkState.OUTDATED: "ClientOutdated",
    LinkState.CLOCK_SKEWED: "ClockSkewed",
    LinkState.STORE_FAILED: "StoreFailed",
    LinkState.STOPPED: "Stopped",
}
"""The reason that the check `whatsapp` gives for each state of the link."""


class PairingMethod(StrEnum):
    """How a phone links the bot as its device."""

    QR = "qr"
    CODE = "code"


class PairingOffer(Contract):
    """What a person scans or types now. Whoever has it can link the account: it never goes into a log by itself."""

    method: PairingMethod
    payload: str | None = None
    """The exact text of the QR code."""
    code: str | None = None
    """Eight characters to type on the phone, `ABCD-1234`."""
    expires_at: AwareDatetime
    """From then on another offer replaces it, or the pairing is over."""


class GatewayState(Contract):
    """A cheap snapshot, for probes and `/api/status`."""

    link: LinkState
    message: str = ""
    """For people: what is wrong and what to do about it."""
    since: AwareDatetime | None = None
    """When the link came into this state."""
    until: AwareDatetime | None = None
    """When a ban ends, or the next attempt is made."""
    backlog: int = 0
    """Messages that WhatsApp still hands over, while syncing."""
    phone: str | None = None
    """The linked account's number in E.164."""
    pairing: PairingOffer | None = None
    """Set while pairing."""

    @property
    def connected(self) -> bool:
        """Whether messages can be sent right now."""
        return self.link is LinkState.CONNECTED


class SendUnknownError(TemporaryError):
    """The message may or may not be in the group: ask `Gateway.find_sent` before sending it again."""


class MediaGoneError(PermanentError):
    """The attachment cannot be had, now or later."""

    def __init__(self, message: str) -> None:
        super().__init__(message, reason="media_gone")


class InboundSink(Protocol):
    """Where a gateway puts what it receives, before it tells WhatsApp that the message has arrived."""

    def put(self, raw: RawEvent) -> None:
        """Synchronous, callable from any thread; the event is on disk when it returns. A repeat is ignored."""

    def noticed(self, *, stored: int, repeated: int, ignored: int) -> None:
        """A gateway whose own process writes the journal has put so many events there itself. Thread-safe.

        Without any count it says that events which were held may go on.

        Args:
            stored: New ones.
            repeated: Those that were there already.
            ignored: Those that are kept nowhere: of other chats, or without any content.
        """


class Gateway(Protocol):
    """One account's link to WhatsApp.

    Every call that sends takes a `key`: the effect's name, by which `find_sent` finds out after a crash or a lost
    answer whether it happened. Calls raise `UnavailableError` (dependency `whatsapp`) while not connected.
    """

    @property
    def own_jids(self) -> frozenset[str]:
        """The bot's own JIDs (phone and LID), to recognise mentions and quotes of it."""

    def state(self) -> GatewayState:
        """The state of the link; thread-safe."""

    async def run(self, sink: InboundSink) -> None:
        """Keep the link up and receive until cancelled; what has arrived by then is still handed to the sink.

        Raises:
            sqlite3.Error: The sink cannot store; the process must end, so that WhatsApp keeps what follows. (A gateway
                whose own process writes the journal cuts the link instead, and tries until it can.)
        """

    async def send(self, chat: str, text: str, *, key: str, quoted: Quote | None, mentions: tuple[str, ...]) -> str:
        """Send a text to a group.

        Args:
            chat: The group's JID.
            text: The message, with `@<digits>` for each mention.
            key: The effect's name.
            quoted: The message to answer.
            mentions: JIDs of the people mentioned.

        Returns:
            The id of the sent message.

        Raises:
            PermanentError: WhatsApp refuses it; reason `send_limited` where that is a warning (429, 463), or another.
            SendUnknownError: No answer came; it may have been sent.
            UnavailableError: Not connected; it has not been sent.
        """

    async def react(self, target: MessageKey, emoji: str, *, key: str) -> str:
        """React to a message; an empty emoji takes the reaction back. Returns and raises like `send`."""

    async def show_typing(self, chat: str, *, on: bool) -> None:
        """Show the group that the bot is typing, or has stopped; does nothing while not connected.

        Raises:
            TemporaryError: It could not be shown.
        """

    async def find_sent(self, key: str) -> str | None:
        """The id of what was sent under `key`, or None when nothing was."""

    async def download(self, media: RawMedia, *, max_bytes: int) -> bytes:
        """The bytes of an attachment.

        Raises:
            MediaGoneError: It is larger than `max_bytes`, or WhatsApp no longer has it.
            TemporaryError: Try again.
        """

    async def groups(self) -> tuple[Group, ...]:
        """The groups that the account is in."""


@runtime_checkable
class Pairable(Protocol):
    """A gateway whose account must be linked by a person; what is offered to them is in `Gateway.state`."""

    async def begin_pairing(self, method: PairingMethod, *, phone: str | None = None) -> None:
        """Ask WhatsApp for an offer; `state().pairing` shows it as soon as it is there. A repeat changes nothing.

        Args:
            method: How the phone is to be linked.
            phone: The bot's own number in E.164; required by `CODE`.

        Raises:
            PermanentError: Already linked (reason `already_paired`), or too many attempts today (`too_many_attempts`).
            UnavailableError: WhatsApp cannot be reached.
        """

    async def end_pairing(self) -> None:
        """Take the offer back."""

    async def unpair(self) -> None:
        """Unlink the device at WhatsApp and forget the session; what the journal holds stays.

        Raises:
            UnavailableError: Not connected, so WhatsApp cannot be told; `forget_session` forgets it here all the same.
        """

    async def forget_session(self) -> None:
        """Remove the session from this machine; the phone's list of devices may still name it."""

"""From what the library and its errors say to the state of the link, with what people are told. Pure.

starting -> connecting -> connected <-> syncing
connected | syncing -> reconnecting -> connected
any -> logged_out | replaced | banned | outdated: nothing is tried again by itself, since that would make it worse
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from pydantic import AwareDatetime

from supportbot.contracts import Contract
from supportbot.whatsapp.gateway import LinkState

TERMINAL = frozenset({LinkState.LOGGED_OUT, LinkState.REPLACED, LinkState.BANNED, LinkState.OUTDATED})
"""States that only a person, or the end of a ban, can end."""

DEGRADED_KEEPALIVES = 3
"""So many unanswered pings in a row are worth a word."""
REFUSED_PAUSE = timedelta(minutes=5)
"""Before the next attempt when WhatsApp has refused the connection, or the clock is wrong."""

PAIRING_FAILED = "pairing: "
"""How the text of `FAILED` begins when it is a pairing that came to nothing."""

_BANS: Mapping[int, str] = {
    1: "for messages to too many people who do not know it",
    2: "because too many people have blocked it",
    3: "for creating too many groups",
    4: "for sending the same message too often",
    5: "for its broadcast lists",
}
_CLOCK = re.compile(
    r"not (yet )?valid (yet|before|after)|not yet valid|has expired|expired certificate|notbefore|notafter"
)
_STORE = re.compile(r"database|sqlite|disk|read-only|no space|failed to (get|save|open|upgrade) (device|store)")


class Heard(StrEnum):
    """What the library says."""

    DIALLING = "dialling"
    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    BACKLOG = "backlog"
    """`number` messages are about to come that WhatsApp has kept."""
    BACKLOG_DONE = "backlog_done"
    PINGS_FAILED = "pings_failed"
    PINGS_ANSWERED = "pings_answered"
    PAIRED = "paired"
    LOGGED_OUT = "logged_out"
    REPLACED = "replaced"
    BANNED = "banned"
    """`number` is the library's code of the reason, `expires_s` how long it lasts."""
    OUTDATED = "outdated"
    REFUSED = "refused"
    """`number` is the library's code of the reason, `text` WhatsApp's words."""
    FAILED = "failed"
    """The library has given up; `text` is its error."""
    STORE_FAILED = "store_failed"
    STORE_WORKS = "store_works"
    PASSKEY = "passkey"


class LinkEvent(Contract):
    """One such thing."""

    heard: Heard
    number: int = 0
    expires_s: int = 0
    text: str = ""


class Link(Contract):
    """The state of the link, as the process that has it knows it."""

    state: LinkState = LinkState.STARTING
    message: str = ""
    until: AwareDatetime | None = None
    backlog: int = 0

    @property
    def is_terminal(self) -> bool:
        """Whether trying again would be wrong."""
        return self.state in TERMINAL


CONNECTING = Link(state=LinkState.CONNECTING, message="connecting to WhatsApp")
CONNECTED = Link(state=LinkState.CONNECTED)
UNPAIRED = Link(
    state=LinkState.UNPAIRED,
    message="no phone is linked: run `supportbot pair`, or open the pairing page, and scan the code with the phone",
)
STARTING = Link(message="starting")
STOPPED = Link(state=LinkState.STOPPED, message="the link to WhatsApp does not run")


def advance(link: Link, event: LinkEvent, *, now: datetime) -> Link:
    """The state after an event. A terminal state is left only by pairing or by a new process."""
    if link.is_terminal and event.heard is not Heard.PAIRED:
        return link
    match event.heard:
        case Heard.DIALLING:
            return CONNECTING
        case Heard.CONNECTED | Heard.BACKLOG_DONE | Heard.PINGS_ANSWERED | Heard.STORE_WORKS:
            return _connected(link, event.heard)
        case Heard.BACKLOG:
            return _syncing(event.number) if event.number else link
        case Heard.DISCONNECTED:
            return _reconnecting(link)
        case Heard.FAILED:
            return link if link.state is LinkState.PASSKEY_REQUIRED else failed_link(event.text, now=now)
        case _:
            return _SAYINGS[event.heard](event, now)


def failed_link(error: str, *, now: datetime) -> Link:
    """What an error means with which the library has given up. The texts are the only thing that tells them apart."""
    lower = error.lower()
    if lower.startswith(PAIRING_FAILED):
        return UNPAIRED.model_copy(update={"message": "the code was not used in time; " + UNPAIRED.message})
    if "temporaryban" in lower:
        # An end of the ban that the library cannot decode ends up here.
        return _banned(LinkEvent(heard=Heard.BANNED), now)
    if "connectfailure" in lower or "received message" in lower:
        return _refused(LinkEvent(heard=Heard.REFUSED, text="for a reason that this version does not know"), now)
    if _CLOCK.search(lower):
        return Link(
            state=LinkState.CLOCK_SKEWED,
            message="this machine's clock seems to be wrong, so WhatsApp's certificate is refused: set it, best by NTP",
            until=now + REFUSED_PAUSE,
        )
    if _STORE.search(lower):
        return _store_failed(LinkEvent(heard=Heard.STORE_FAILED), now)
    return Link(state=LinkState.RECONNECTING, message="WhatsApp cannot be reached; trying again")


def unpaired_after(link: Link) -> Link:
    """No phone is linked, since a pairing came to nothing in this state; with the cause, where the state tells one."""
    if link.state is LinkState.RECONNECTING:
        cause = "WhatsApp cannot be reached from here"
    elif link.is_terminal or link.state in (LinkState.CLOCK_SKEWED, LinkState.STORE_FAILED):
        cause = link.message
    else:
        return UNPAIRED
    return UNPAIRED.model_copy(update={"message": f"{cause}; {UNPAIRED.message}"})


def _connected(link: Link, heard: Heard) -> Link:
    if heard is Heard.BACKLOG_DONE or (heard is Heard.CONNECTED and link.state is not LinkState.SYNCING):
        return CONNECTED
    if heard is Heard.PINGS_ANSWERED and link.state is LinkState.CONNECTED:
        return CONNECTED
    if heard is Heard.STORE_WORKS:
        return Link(state=LinkState.RECONNECTING, message="the journal can be written again; connecting")
    return link


def _syncing(backlog: int) -> Link:
    return Link(state=LinkState.SYNCING, message="receiving what was sent meanwhile", backlog=backlog)


def _reconnecting(link: Link) -> Link:
    if link.state is LinkState.STORE_FAILED:
        return link  # The link was cut because of it.
    return Link(state=LinkState.RECONNECTING, message="the connection to WhatsApp was lost; trying again")


def _pings_failed(event: LinkEvent, _: datetime) -> Link:
    slow = event.number >= DEGRADED_KEEPALIVES
    return Link(
        state=LinkState.CONNECTED,
        message=f"WhatsApp has not answered {event.number} pings in a row; it reconnects by itself" if slow else "",
    )


def _logged_out(event: LinkEvent, _: datetime) -> Link:
    return Link(
        state=LinkState.LOGGED_OUT,
        message=f"the bot's device was unlinked{f' ({event.text})' if event.text else ''}: find out why on the phone, "
        "then pair it again with `supportbot pair`",
    )


def _replaced(_: LinkEvent, __: datetime) -> Link:
    return Link(
        state=LinkState.REPLACED,
        message="another process uses this WhatsApp session: stop that one, then restart this service",
    )


def _banned(event: LinkEvent, now: datetime) -> Link:
    why = _BANS.get(event.number, "")
    until = now + timedelta(seconds=event.expires_s) if event.expires_s > 0 else None
    ends = (
        f"it ends at {until:%Y-%m-%d %H:%M} UTC, and then the bot links again by itself"
        if until
        else ("open WhatsApp on the bot's phone to see why, and restart this service when it is over")
    )
    return Link(
        state=LinkState.BANNED,
        message=f"WhatsApp has banned the account{f' {why}' if why else ''}: {ends}; do not pair it again meanwhile",
        until=until,
    )


def _outdated(_: LinkEvent, __: datetime) -> Link:
    return Link(
        state=LinkState.OUTDATED,
        message="WhatsApp no longer takes this version of the client: upgrade supportbot (or neonize) and restart",
    )


def _refused(event: LinkEvent, now: datetime) -> Link:
    return Link(
        state=LinkState.RECONNECTING,
        message=f"WhatsApp refused the connection{f' ({event.text})' if event.text else ''}; "
        "the next attempt is some minutes away",
        until=now + REFUSED_PAUSE,
    )


def _store_failed(_: LinkEvent, __: datetime) -> Link:
    return Link(
        state=LinkState.STORE_FAILED,
        message="the data folder cannot be written, so the link is cut and WhatsApp keeps what follows: free disk "
        "space there, or mend its permissions",
    )


def _paired(_: LinkEvent, __: datetime) -> Link:
    return Link(state=LinkState.CONNECTING, message="paired; connecting to WhatsApp")


def _passkey(_: LinkEvent, __: datetime) -> Link:
    return Link(
        state=LinkState.PASSKEY_REQUIRED,
        message="WhatsApp asks for the account's passkey, which a linked client like this cannot give: remove the "
        "passkey in WhatsApp on the phone (Settings, Account, Passkeys), then pair again",
    )


_SAYINGS: Mapping[Heard, Callable[[LinkEvent, datetime], Link]] = {
    Heard.PINGS_FAILED: _pings_failed,
    Heard.LOGGED_OUT: _logged_out,
    Heard.REPLACED: _replaced,
    Heard.BANNED: _banned,
    Heard.OUTDATED: _outdated,
    Heard.REFUSED: _refused,
    Heard.STORE_FAILED: _store_failed,
    Heard.PAIRED: _paired,
    Heard.PASSKEY: _passkey,
}


def end_of_ban(until: datetime, jitter: float) -> datetime:
    """When to try again after a ban: 10 to 30 minutes after its end; `jitter` is from 0 to 1."""
    return until.astimezone(UTC) + timedelta(minutes=10 + 20 * jitter)

"""The library's events about the link as `LinkEvent`. Pure: it reads protobufs by their fields."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from supportbot.whatsapp.neonize.link_states import PAIRING_FAILED, Heard, LinkEvent

DEVICE, PAIR_STATUS, CONNECTED, KEEPALIVE_TIMEOUT, KEEPALIVE_RESTORED = 0, 2, 3, 4, 5
LOGGED_OUT, REPLACED, BANNED, CONNECT_FAILURE, OUTDATED, STREAM_ERROR, DISCONNECTED = 6, 7, 8, 9, 10, 11, 12
HISTORY, MESSAGE, JOINED_GROUP, GROUP_CHANGE, BACKLOG, BACKLOG_DONE, UNDECRYPTABLE = 13, 17, 21, 22, 26, 27, 44
WANTED = (
    *(PAIR_STATUS, CONNECTED, KEEPALIVE_TIMEOUT, KEEPALIVE_RESTORED, LOGGED_OUT, REPLACED, BANNED, CONNECT_FAILURE),
    *(OUTDATED, STREAM_ERROR, DISCONNECTED, HISTORY, MESSAGE, GROUP_CHANGE, BACKLOG, BACKLOG_DONE, UNDECRYPTABLE),
)
"""The library's codes of the events to ask for. Receipts (18) are never among them: one odd one ends all events."""

_PLAIN = {
    CONNECTED: Heard.CONNECTED,
    KEEPALIVE_RESTORED: Heard.PINGS_ANSWERED,
    REPLACED: Heard.REPLACED,
    OUTDATED: Heard.OUTDATED,
    DISCONNECTED: Heard.DISCONNECTED,
    BACKLOG_DONE: Heard.BACKLOG_DONE,
}
_LOGOUTS = {2: "logged out on the phone", 4: "the phone's own registration is gone", 5: "reason unknown"}
_PAIRED = 2


@dataclass(frozen=True, kw_only=True)
class Ears:
    """Who is told what the library says, on which thread."""

    event: Callable[[int, Any], None]
    """An event's code and protobuf; on the library's thread, which waits for the return."""
    broken: Callable[[BaseException], None]
    """An event could not be taken; on the library's thread."""
    code: Callable[[str], None]
    """The text of a QR code; on the event loop."""
    spent: Callable[[str, str, str], None]
    """Chat, sender and id of a message that came again and cannot be decrypted twice; on a thread of its own."""
    login: Callable[[str], None]
    """A word about a pairing; on the library's thread."""


def link_event_of(code: int, event: Any) -> LinkEvent | None:
    """What an event says about the link; None when it says nothing about it."""
    if code in _PLAIN:
        return LinkEvent(heard=_PLAIN[code])
    match code:
        case _ if code == KEEPALIVE_TIMEOUT:
            return LinkEvent(heard=Heard.PINGS_FAILED, number=event.ErrorCount)
        case _ if code == LOGGED_OUT:
            return LinkEvent(heard=Heard.LOGGED_OUT, text=_logout_reason(event))
        case _ if code == BANNED:
            return LinkEvent(heard=Heard.BANNED, number=event.Code, expires_s=max(event.Expire, 0))
        case _ if code == CONNECT_FAILURE:
            return LinkEvent(heard=Heard.REFUSED, number=event.Reason, text=f"reason {event.Reason}")
        case _ if code == BACKLOG:
            return LinkEvent(heard=Heard.BACKLOG, number=event.Message)
        case _ if code == PAIR_STATUS and event.Status == _PAIRED:
            return LinkEvent(heard=Heard.PAIRED)
    return None


def login_event_of(word: str) -> LinkEvent | None:
    """What the library's word about a pairing says; None for the codes themselves."""
    match word:
        case "success":
            return LinkEvent(heard=Heard.PAIRED)
        case "passkey-request" | "passkey-confirmation":
            return LinkEvent(heard=Heard.PASSKEY)
        case "err-client-outdated":
            return LinkEvent(heard=Heard.OUTDATED)
        case _ if word == "timeout" or word.startswith("err"):
            return LinkEvent(heard=Heard.FAILED, text=PAIRING_FAILED + word)
    return None


def _logout_reason(event: Any) -> str:
    return _LOGOUTS.get(event.Reason, "") if event.OnConnect else "removed on the phone"

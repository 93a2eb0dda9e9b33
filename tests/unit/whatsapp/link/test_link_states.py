"""The states of a link, by tables: what the library says, and what people are told."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from supportbot.whatsapp.gateway import LinkState
from supportbot.whatsapp.neonize import link_events as codes
from supportbot.whatsapp.neonize.link_events import link_event_of, login_event_of
from supportbot.whatsapp.neonize.link_states import (
    CONNECTED,
    STARTING,
    TERMINAL,
    UNPAIRED,
    Heard,
    Link,
    LinkEvent,
    advance,
    end_of_ban,
    failed_link,
    unpaired_after,
)

NOW = datetime(2026, 3, 2, 15, tzinfo=UTC)


def after(*events: LinkEvent | Heard, link: Link = STARTING) -> Link:
    for event in events:
        link = advance(link, event if isinstance(event, LinkEvent) else LinkEvent(heard=event), now=NOW)
    return link


BACKLOG = LinkEvent(heard=Heard.BACKLOG, number=7)
REFUSED = LinkEvent(heard=Heard.REFUSED, text="reason 9")
BANNED = LinkEvent(heard=Heard.BANNED, number=4, expires_s=3600)
TIMEOUT = LinkEvent(heard=Heard.FAILED, text="pairing: timeout")


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ((Heard.DIALLING,), LinkState.CONNECTING),
        ((Heard.DIALLING, Heard.CONNECTED), LinkState.CONNECTED),
        ((Heard.CONNECTED, BACKLOG), LinkState.SYNCING),
        ((Heard.CONNECTED, LinkEvent(heard=Heard.BACKLOG)), LinkState.CONNECTED),
        # The library may say twice that it is connected; the backlog is not whole by that.
        ((BACKLOG, Heard.CONNECTED), LinkState.SYNCING),
        ((Heard.CONNECTED, BACKLOG, Heard.BACKLOG_DONE), LinkState.CONNECTED),
        ((Heard.CONNECTED, Heard.DISCONNECTED), LinkState.RECONNECTING),
        ((Heard.CONNECTED, Heard.DISCONNECTED, Heard.CONNECTED), LinkState.CONNECTED),
        ((Heard.CONNECTED, LinkEvent(heard=Heard.PINGS_FAILED, number=1)), LinkState.CONNECTED),
        ((Heard.CONNECTED, Heard.STORE_FAILED, Heard.DISCONNECTED), LinkState.STORE_FAILED),
        ((Heard.CONNECTED, Heard.STORE_FAILED, Heard.STORE_WORKS), LinkState.RECONNECTING),
        ((REFUSED,), LinkState.RECONNECTING),
        ((Heard.CONNECTED, Heard.LOGGED_OUT), LinkState.LOGGED_OUT),
        ((Heard.CONNECTED, Heard.REPLACED), LinkState.REPLACED),
        ((Heard.CONNECTED, BANNED), LinkState.BANNED),
        ((Heard.DIALLING, Heard.OUTDATED), LinkState.OUTDATED),
        ((Heard.DIALLING, Heard.PASSKEY), LinkState.PASSKEY_REQUIRED),
        ((Heard.DIALLING, Heard.PASSKEY, TIMEOUT), LinkState.PASSKEY_REQUIRED),
        ((Heard.DIALLING, TIMEOUT), LinkState.UNPAIRED),
        ((Heard.DIALLING, Heard.PAIRED, Heard.CONNECTED), LinkState.CONNECTED),
    ],
)
def test_the_way_of_a_link(events: tuple[LinkEvent | Heard, ...], state: LinkState) -> None:
    assert after(*events).state is state


@pytest.mark.parametrize("end", [Heard.LOGGED_OUT, Heard.REPLACED, Heard.OUTDATED, BANNED])
def test_an_end_is_an_end_until_somebody_pairs(end: LinkEvent | Heard) -> None:
    ended = after(Heard.CONNECTED, end)
    assert ended.is_terminal
    assert ended.message

    later = [LinkEvent(heard=heard) for heard in Heard if heard is not Heard.PAIRED]
    assert after(*later, link=ended) == ended
    assert after(Heard.PAIRED, link=ended).state is LinkState.CONNECTING


def test_a_ban_says_why_and_how_long() -> None:
    banned = after(BANNED)

    assert banned.until == NOW + timedelta(hours=1)
    assert "the same message too often" in banned.message
    assert "2026-03-02 16:00 UTC" in banned.message
    assert end_of_ban(banned.until, 0.0) == NOW + timedelta(hours=1, minutes=10)
    assert end_of_ban(banned.until, 1.0) == NOW + timedelta(hours=1, minutes=30)


def test_many_unanswered_pings_are_told() -> None:
    assert after(Heard.CONNECTED, LinkEvent(heard=Heard.PINGS_FAILED, number=2)) == CONNECTED
    slow = after(Heard.CONNECTED, LinkEvent(heard=Heard.PINGS_FAILED, number=3))
    assert "3 pings" in slow.message
    assert after(Heard.PINGS_ANSWERED, link=slow) == CONNECTED


@pytest.mark.parametrize(
    ("error", "state", "pause"),
    [
        ("failed to dial whatsapp web websocket: dial tcp: connect: connection refused", LinkState.RECONNECTING, None),
        ("proto: required field neonize.TemporaryBan.Code not set", LinkState.BANNED, None),
        ("proto: required field neonize.ConnectFailure.Reason not set", LinkState.RECONNECTING, timedelta(minutes=5)),
        ("proto: required field neonize.Receipt.Type not set", LinkState.RECONNECTING, None),
        (
            "tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time 2019",
            LinkState.CLOCK_SKEWED,
            timedelta(minutes=5),
        ),
        ("failed to get device: attempt to write a readonly database", LinkState.STORE_FAILED, None),
        ("", LinkState.RECONNECTING, None),
    ],
)
def test_the_error_with_which_the_library_gives_up(error: str, state: LinkState, pause: timedelta | None) -> None:
    link = failed_link(error, now=NOW)

    assert (link.state, link.until) == (state, NOW + pause if pause else None)
    assert link.message


@pytest.mark.parametrize(
    ("code", "fields", "event"),
    [
        (codes.CONNECTED, {}, LinkEvent(heard=Heard.CONNECTED)),
        (codes.DISCONNECTED, {}, LinkEvent(heard=Heard.DISCONNECTED)),
        (codes.REPLACED, {}, LinkEvent(heard=Heard.REPLACED)),
        (codes.OUTDATED, {}, LinkEvent(heard=Heard.OUTDATED)),
        (codes.BACKLOG, {"Message": 3}, LinkEvent(heard=Heard.BACKLOG, number=3)),
        (codes.BACKLOG_DONE, {}, LinkEvent(heard=Heard.BACKLOG_DONE)),
        (codes.KEEPALIVE_TIMEOUT, {"ErrorCount": 2}, LinkEvent(heard=Heard.PINGS_FAILED, number=2)),
        (
            codes.LOGGED_OUT,
            {"OnConnect": False, "Reason": 2},
            LinkEvent(heard=Heard.LOGGED_OUT, text="removed on the phone"),
        ),
        (
            codes.LOGGED_OUT,
            {"OnConnect": True, "Reason": 4},
            LinkEvent(heard=Heard.LOGGED_OUT, text="the phone's own registration is gone"),
        ),
        (codes.BANNED, {"Code": 1, "Expire": 60}, LinkEvent(heard=Heard.BANNED, number=1, expires_s=60)),
        (codes.CONNECT_FAILURE, {"Reason": 7}, LinkEvent(heard=Heard.REFUSED, number=7, text="reason 7")),
        (codes.PAIR_STATUS, {"Status": 2}, LinkEvent(heard=Heard.PAIRED)),
        (codes.PAIR_STATUS, {"Status": 1}, None),
        (codes.STREAM_ERROR, {"Code": "515"}, None),
        (codes.MESSAGE, {}, None),
    ],
)
def test_what_the_library_says_about_the_link(code: int, fields: dict[str, Any], event: LinkEvent | None) -> None:
    assert link_event_of(code, SimpleNamespace(**fields)) == event


@pytest.mark.parametrize(
    ("word", "heard"),
    [
        ("success", Heard.PAIRED),
        ("timeout", Heard.FAILED),
        ("err-unexpected-state", Heard.FAILED),
        ("err-client-outdated", Heard.OUTDATED),
        ("passkey-request", Heard.PASSKEY),
        ("code", None),
    ],
)
def test_what_the_library_says_about_a_pairing(word: str, heard: Heard | None) -> None:
    event = login_event_of(word)
    assert (event.heard if event else None) is heard


@pytest.mark.parametrize(
    ("link", "cause"),
    [
        (failed_link("dial tcp: lookup web.example: no such host", now=NOW), "WhatsApp cannot be reached from here"),
        (after(Heard.OUTDATED), after(Heard.OUTDATED).message),
        (failed_link("x509: certificate is not yet valid", now=NOW), "this machine's clock seems to be wrong"),
    ],
)
def test_a_pairing_that_came_to_nothing_says_why(link: Link, cause: str) -> None:
    ended = unpaired_after(link)
    assert ended.state is LinkState.UNPAIRED
    assert ended.message.startswith(cause)
    assert ended.message.endswith(UNPAIRED.message)


@pytest.mark.parametrize("link", [STARTING, Link(state=LinkState.PAIRING), Link(state=LinkState.CONNECTING)])
def test_a_pairing_that_was_taken_back_needs_no_reason(link: Link) -> None:
    assert unpaired_after(link) == UNPAIRED


def test_receipts_are_never_asked_for() -> None:
    """One receipt of an odd kind ends all events of the library, and nothing shows it."""
    assert 18 not in codes.WANTED
    assert {LinkState.LOGGED_OUT, LinkState.REPLACED, LinkState.BANNED, LinkState.OUTDATED} == TERMINAL

"""Who is who in WhatsApp: a person is their LID; the phone number is what the LID may or may not come with. Pure.

Protobuf values are read by their fields, so nothing here needs the library.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from supportbot.whatsapp.gateway import RawPerson

PHONE_SERVER = "s.whatsapp.net"
LID_SERVER = "lid"
_SERVERS = {"c.us": PHONE_SERVER, "hosted": PHONE_SERVER, "hosted.lid": LID_SERVER}


@dataclass(frozen=True)
class Directory:
    """What this account has learnt of LIDs and phones; each function takes and returns JIDs without a device."""

    lid_of: Callable[[str], str | None] = lambda _: None
    phone_of: Callable[[str], str | None] = lambda _: None


NOBODY = Directory()


def jid_text(jid: Any) -> str:
    """A JID protobuf as `<user>@<server>`, without agent and device; empty when it names nobody."""
    return plain_jid(f"{jid.User}@{jid.Server}") if jid.User and jid.Server else ""


def plain_jid(text: str) -> str:
    """A JID's text without agent and device, of today's server names; empty when it is none."""
    user, _, server = text.partition("@")
    user = user.partition(":")[0].partition(".")[0] if server != "g.us" else user
    return f"{user}@{_SERVERS.get(server, server)}" if user and server else ""


def is_lid(jid: str) -> bool:
    """Whether a JID is a LID."""
    return jid.endswith("@" + LID_SERVER)


def is_phone(jid: str) -> bool:
    """Whether a JID is made of a phone number."""
    return jid.endswith("@" + PHONE_SERVER)


def person_of(jid: str, directory: Directory, *, other: str = "", push_name: str = "") -> RawPerson:
    """The person behind a JID.

    Args:
        jid: Either side of the person.
        directory: Fills in the side that is missing.
        other: The other side where the message brought it along.
        push_name: The name that they gave themselves.
    """
    lid = next((side for side in (jid, other) if is_lid(side)), None) or directory.lid_of(jid)
    phone = next((side for side in (jid, other) if is_phone(side)), None) or (directory.phone_of(lid) if lid else None)
    return RawPerson(
        jid=lid or jid,
        phone="+" + phone.partition("@")[0] if phone else None,
        push_name=push_name or None,
    )


def in_group(jid: str, directory: Directory, *, lid_group: bool) -> str:
    """A participant's JID in the way that the group names its people, as far as it is known."""
    if lid_group and is_phone(jid):
        return directory.lid_of(jid) or jid
    if not lid_group and is_lid(jid):
        return directory.phone_of(jid) or jid
    return jid

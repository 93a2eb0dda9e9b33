"""Ids are built and parsed here, nowhere else.

`message_ref` and `group_ref` are keyed hashes: they may appear in logs, spans, subjects and tickets, since nobody
without the installation's key can get a phone number or a group back out of them. Only the gateway's journal knows the
WhatsApp message key (chat, sender, id) behind a reference.
"""

import base64
import hashlib
import hmac
import re

MESSAGE_REF_PATTERN = r"^m_[a-z2-7]{20}$"
GROUP_REF_PATTERN = r"^[0-9a-f]{16}$"
INCIDENT_ID_PATTERN = r"^i_[a-z2-7]{20}$"

_MESSAGE_REF = re.compile(MESSAGE_REF_PATTERN)
_INCIDENT_ID = re.compile(INCIDENT_ID_PATTERN)


def make_message_ref(install_key: bytes, *, chat: str, sender: str, message_id: str) -> str:
    """`m_` and 20 base32 characters (100 bits) of HMAC-SHA256 over the WhatsApp message key."""
    digest = hmac.digest(install_key, f"{chat}\0{message_id}\0{sender}".encode(), hashlib.sha256)
    return "m_" + base64.b32encode(digest).decode().lower()[:20]


def make_group_ref(install_key: bytes, jid: str) -> str:
    """16 hex characters (64 bits) of HMAC-SHA256 over the group's JID; safe in NATS subjects and KV keys."""
    return _short_hash(install_key, jid)


def make_sender_ref(install_key: bytes, jid: str) -> str:
    """16 hex characters (64 bits) of HMAC-SHA256 over the participant's JID."""
    return _short_hash(install_key, jid)


def make_incident_id(message_ref: str) -> str:
    """The incident that the message `message_ref` opened: `i_` and the 20 characters of the message.

    One message opens at most one incident, so handling a message again gives the same incident.
    """
    if not _MESSAGE_REF.match(message_ref):
        raise ValueError(f"{message_ref!r} is not a message_ref")
    return "i_" + message_ref[2:]


def make_event_id(message_ref: str, stage: str) -> str:
    """The id of what `stage` made of a message; used as `Nats-Msg-Id`, so a repeat is dropped as a duplicate."""
    return f"{message_ref}:{stage}"


def parse_event_id(event_id: str) -> tuple[str, str]:
    """`(message_ref, stage)` of an event id.

    Raises:
        ValueError: The id has not the form `<message_ref>:<stage>`.
    """
    message_ref, separator, stage = event_id.partition(":")
    if not separator or not _MESSAGE_REF.match(message_ref):
        raise ValueError(f"{event_id!r} is not <message_ref>:<stage>")
    return message_ref, stage


def make_short_mark(incident_id: str) -> str:
    """The mark in a ticket's subject by which its incident is found again in plain lists, such as `[WA-k3v9xq2m7p]`.

    Zoho's list rows carry no custom fields. Ten base32 characters are 50 bits: among a million tickets of a
    department two share a mark with a probability of 4e-4, and the full id decides before anything is reused.
    """
    if not _INCIDENT_ID.match(incident_id):
        raise ValueError(f"{incident_id!r} is not an incident id")
    return f"[WA-{incident_id[2:12]}]"


def make_folio(incident_id: str) -> str:
    """What the group is told while Zoho is away, such as `F-K3V9XQ`; it stays valid beside the ticket number."""
    return f"F-{incident_id[2:8].upper()}"


def _short_hash(install_key: bytes, jid: str) -> str:
    return hmac.digest(install_key, jid.encode(), hashlib.sha256).hex()[:16]

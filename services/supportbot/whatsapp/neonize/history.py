"""The history that a newly linked device is given, as raw events of the bot's groups. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from supportbot.whatsapp.gateway import RawEvent
from supportbot.whatsapp.neonize.identity import Directory, plain_jid
from supportbot.whatsapp.neonize.normalise import normalise_history


def read_history(history: Any, *, groups: frozenset[str], directory: Directory) -> Mapping[str, list[RawEvent]]:
    """The messages of each group in a `HistorySync`, in the order of their times."""
    pairs = [(plain_jid(pair.lidJID), plain_jid(pair.pnJID)) for pair in history.phoneNumberToLidMappings]
    known = _with_pairs(directory, pairs)
    return {
        chat: _messages(conversation, chat, known)
        for conversation in history.conversations
        if (chat := plain_jid(conversation.ID)) in groups
    }


def _messages(conversation: Any, chat: str, directory: Directory) -> list[RawEvent]:
    # Groups name their people by LIDs nowadays; where a LID is not known the phone's JID stays.
    rows = (
        normalise_history(row.message, chat=chat, lid_group=True, directory=directory) for row in conversation.messages
    )
    return sorted((raw for raw in rows if raw is not None), key=lambda raw: (raw.sent_at, raw.key.message_id))


def _with_pairs(directory: Directory, pairs: list[tuple[str, str]]) -> Directory:
    phones = dict(pairs)
    lids = {phone: lid for lid, phone in pairs}
    return replace(
        directory,
        lid_of=lambda jid: lids.get(jid) or directory.lid_of(jid),
        phone_of=lambda jid: phones.get(jid) or directory.phone_of(jid),
    )

"""Mentions in the way that a group names its people, in the list and in the text. Pure."""

import re

from supportbot.whatsapp.neonize.identity import Directory, in_group


def mention(
    text: str, mentions: tuple[str, ...], directory: Directory, *, lid_group: bool
) -> tuple[str, tuple[str, ...]]:
    """The text and the JIDs with each person's side that the group shows; where that is not known the other stays."""
    shown = {jid: in_group(jid, directory, lid_group=lid_group) for jid in mentions}
    for before, after in shown.items():
        text = re.sub(rf"@{_user(before)}(?!\d)", f"@{_user(after)}", text)
    return text, tuple(shown.values())


def _user(jid: str) -> str:
    return jid.partition("@")[0]

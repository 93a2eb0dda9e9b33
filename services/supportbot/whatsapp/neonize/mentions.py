"""Mentions as a group shows them: by LIDs, in the list and in the text. Pure."""

import re

from supportbot.whatsapp.neonize.identity import Directory, in_group


def mention_lids(text: str, mentions: tuple[str, ...], directory: Directory) -> tuple[str, tuple[str, ...]]:
    """The text and the JIDs with each phone replaced by its LID; a phone whose LID is not known stays."""
    shown = {jid: in_group(jid, directory, lid_group=True) for jid in mentions}
    for before, after in shown.items():
        text = re.sub(rf"@{_user(before)}(?!\d)", f"@{_user(after)}", text)
    return text, tuple(shown.values())


def _user(jid: str) -> str:
    return jid.partition("@")[0]

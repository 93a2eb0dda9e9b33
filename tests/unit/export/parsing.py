"""Parses a text for tests of the export parser."""

from pathlib import Path

from supportbot.export.archive import FolderMedia
from supportbot.export.chat import ExportedChat, ExportedMessage, parse_chat


def parse(text: str, *, title: str | None = None) -> ExportedChat:
    """The chat in `text`, which must have messages."""
    chat = parse_chat(text, title=title, media=FolderMedia(Path("/nonexistent")))
    assert chat is not None
    return chat


def said_on_android(body: str) -> ExportedMessage:
    """The only message of an Android export in which Ana says `body`."""
    (message,) = parse(f"31/1/26, 9:05 - Ana: {body}").messages
    return message


def said_on_ios(body: str, *, author: str = "Ana", title: str | None = None) -> ExportedMessage:
    """The only message of an iOS export in which `author` says `body`."""
    (message,) = parse(f"[31/1/26, 9:05:33] {author}: {body}", title=title).messages
    return message

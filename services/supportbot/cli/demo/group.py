"""The simulated group as the demo uses it: people act in it, and its life can be read."""

import base64
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import httpx

from supportbot.cli.demo.pictures import make_document, make_png, make_voice_note
from supportbot.cli.demo.script import Line, Speaker


class Group:
    """Client of the whatsapp service's `/simulator` endpoints."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self._cursor = 0

    async def act(self, line: Line, number: int, speaker: Speaker, at: datetime) -> str:
        """Do what the line says; returns the id of the message that this made."""
        message_id = line.id or f"demo-{number:03}"
        common = {"id": message_id, "sent_at": at.isoformat(), "sender": {"phone": speaker.phone, "name": speaker.name}}
        path, body = to_request(line, message_id)
        response = await self._client.post(f"/simulator/{path}", json={**common, **body})
        response.raise_for_status()
        return message_id

    async def news(self) -> list[Mapping[str, Any]]:
        """What has happened in the group since the last call, the bot's own messages among it."""
        response = await self._client.get("/simulator/messages", params={"after": self._cursor, "limit": 5000})
        response.raise_for_status()
        life = response.json()
        self._cursor = life["cursor"]
        messages: list[Mapping[str, Any]] = life["messages"]
        return messages


def to_request(line: Line, message_id: str) -> tuple[str, dict[str, Any]]:
    """The endpoint under `/simulator` and the body beside who, when and which id."""
    if line.edit is not None:
        return "edits", {"id": f"{message_id}-edit", "target": line.edit, "text": line.text}
    if line.delete is not None:
        return "deletions", {"id": f"{message_id}-deletion", "target": line.delete}
    if line.react is not None:
        return "reactions", {"id": f"{message_id}-reaction", "target": line.react, "emoji": line.emoji}
    body: dict[str, Any] = {"text": line.text}
    if line.quote is not None:
        body["quoted"] = line.quote
    attachment = to_attachment(line)
    if attachment is not None:
        filename, mime_type, data = attachment
        body["media"] = {"filename": filename, "mime_type": mime_type, "base64": base64.b64encode(data).decode()}
    return "messages", body


def to_attachment(line: Line) -> tuple[str, str, bytes] | None:
    """File name, MIME type and bytes of what the line attaches."""
    if line.photo is not None:
        return f"{line.photo}.png", "image/png", make_png(line.photo)
    if line.document is not None:
        return line.document, "application/pdf", make_document(line.document)
    if line.voice:
        return "nota-de-voz.ogg", "audio/ogg", make_voice_note(line.speaker)
    if line.sticker:
        return "sticker.webp", "image/webp", make_png("sticker")
    return None


def describe(line: Line) -> str:
    """The line as the terminal shows it."""
    if line.edit is not None:
        return f"✎ edits: {line.text}"
    if line.delete is not None:
        return "✗ deletes a message"
    if line.react is not None:
        return f"reacts {line.emoji}"
    marks = {"📷 ": line.photo, "📄 ": line.document, "🎤 voice note": line.voice, "☺ sticker": line.sticker}
    attached = [mark + value if isinstance(value, str) else mark for mark, value in marks.items() if value]
    quote = ["↩"] if line.quote else []
    return " ".join([*quote, *attached, line.text]).strip()

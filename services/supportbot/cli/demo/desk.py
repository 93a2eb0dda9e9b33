"""The emulated Zoho Desk as a process, and what it holds in the end."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from supportbot.errors import UserError

START_TIMEOUT_S = 30.0


@dataclass(frozen=True, kw_only=True)
class Ticket:
    """A ticket as the emulator's state shows it."""

    number: str
    subject: str
    priority: str
    messages: int
    """The description and the comments."""
    attachments: int


@asynccontextmanager
async def run_desk(port: int) -> AsyncIterator[str]:
    """Start the emulator, yield its base URL, and end it.

    Raises:
        UserError: It did not start.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "supportbot.emulators.zoho", "--port", str(port),
        stdout=asyncio.subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), START_TIMEOUT_S)
        if not line:
            raise UserError("the Zoho Desk emulator did not start; its words are above")
        yield str(json.loads(line)["desk"])
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def read_tickets(desk_url: str) -> list[Ticket]:
    """All tickets, in the order of their creation."""
    async with httpx.AsyncClient(timeout=10.0) as client:
        response = await client.get(f"{desk_url}/_emulator/state")
        response.raise_for_status()
        return to_tickets(response.json())


def to_tickets(state: dict[str, Any]) -> list[Ticket]:
    """The tickets of an emulator's state."""
    return [
        Ticket(
            number=ticket["ticketNumber"],
            subject=ticket["subject"],
            priority=ticket["priority"] or "–",
            messages=1 + sum(comment["ticketId"] == ticket["id"] for comment in state["comments"]),
            attachments=sum(attachment["ticketId"] == ticket["id"] for attachment in state["attachments"]),
        )
        for ticket in state["tickets"]
    ]

"""What the server has seen of the client, for tests to assert on and to wait for."""

import asyncio
import time
from collections.abc import Callable

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr


class _Observation(BaseModel):
    model_config = ConfigDict(frozen=True, ser_json_bytes="base64", val_json_bytes="base64")

    at: float = Field(default_factory=time.time)
    """Seconds since the epoch."""


class LoginSeen(_Observation):
    """A client that has come."""

    connection: int
    outcome: str
    """`registration`, `success`, or the reason of the refusal."""


class SentMessage(_Observation):
    """A message that the client has sent, decrypted."""

    id: str
    chat: str
    kind: str
    """Of the protocol buffer: the first field that says something, such as `extendedTextMessage`."""
    text: str = ""
    """Text, caption, or a reaction's emoji."""
    quoted_id: str | None = None
    quoted_participant: str | None = None
    mentions: tuple[str, ...] = ()
    target_id: str | None = None
    """Of a reaction, edit or deletion."""
    target_participant: str | None = None
    edit: str = ""
    """The stanza's attribute: 1 edit, 7 deletion, 8 deletion by an admin."""
    recipients: tuple[str, ...] = ()
    """Whose phones it was encrypted for."""
    has_bot_tag: bool = False
    """Whether it carries the `<bot>` element that some servers refuse."""
    secret: bytes = b""
    """`messageContextInfo.messageSecret`."""
    raw: bytes = b""
    """The whole protocol buffer."""
    copies: int = 1
    """How often the frame came: a client repeats it after a connection that broke before the answer."""
    refused: int | None = None
    """The error that the server has answered with; the group has not got it."""


class ReceiptSeen(_Observation):
    """A receipt for one message."""

    id: str
    chat: str
    participant: str = ""
    type: str = ""
    """Empty or `inactive`: delivered; `read`, `retry`, `sender`…"""


class StateSeen(_Observation):
    """The client's presence, or that it types."""

    chat: str
    """Empty for its presence."""
    state: str
    """`available`, `unavailable`, `composing`, `paused`."""


class Observations(BaseModel):
    """All of it, in the order of arrival."""

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    revision: int = 0
    """How often something was seen."""
    logins: list[LoginSeen] = []
    sent: dict[str, SentMessage] = {}
    """By id."""
    receipts: list[ReceiptSeen] = []
    states: list[StateSeen] = []
    pings: int = 0
    uploads: list[str] = []
    """Direct paths of media that the client has uploaded."""
    unknown_queries: list[str] = []
    """Queries of which nothing is known, answered with nothing: a new library shows itself here."""
    faults: list[str] = []
    """What the emulator could not understand or decrypt; a test may demand that it is empty."""
    _woken: asyncio.Event = PrivateAttr(default_factory=asyncio.Event)

    def changed(self) -> None:
        """Something was seen: wake whoever waits."""
        self.revision += 1
        self._woken.set()
        self._woken = asyncio.Event()

    async def until(self, is_so: Callable[[], bool], timeout_s: float = 15) -> None:
        """Wait until something is so; asked again whenever something was seen.

        Raises:
            TimeoutError: It never was; the message holds what was seen.
        """
        try:
            async with asyncio.timeout(timeout_s):
                while not is_so():
                    await self._woken.wait()
        except TimeoutError:
            raise TimeoutError(f"not within {timeout_s} s; seen so far: {self}") from None

    def receipts_of(self, message_id: str, *types: str) -> list[ReceiptSeen]:
        """Those for a message: of these types, or delivered."""
        wanted = types or ("", "inactive", "sender")
        return [seen for seen in self.receipts if seen.id == message_id and seen.type in wanted]

    def __str__(self) -> str:
        logins = [seen.outcome for seen in self.logins]
        receipts = [(seen.id, seen.type) for seen in self.receipts[-20:]]
        return f"logins {logins}, sent {list(self.sent)}, receipts {receipts}, faults {self.faults}"

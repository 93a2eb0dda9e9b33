"""The server's queue: a message waits there until the client's receipt, over any number of connections."""

import asyncio
from dataclasses import dataclass

from .protocol.binary_xml import Node


@dataclass
class Letter:
    """A stanza that waits; the same ciphertext is given out again as long as it does."""

    stanza: Node
    given_to: int = 0
    """The number of the last connection that got it."""
    unsettled_before: int = 0
    """The connection that has got an earlier envelope of the same message and has not settled that one yet."""

    @property
    def key(self) -> tuple[str, str]:
        """What a receipt names: the tag and the id."""
        return self.stanza.tag, self.stanza.text("id")


class Mailbox:
    """Letters in the order in which they were put in."""

    def __init__(self) -> None:
        self._letters: dict[tuple[str, str], Letter] = {}
        self._is_held = False
        self._filled = asyncio.Event()

    def put(self, stanza: Node) -> None:
        """Add a letter, or replace the one of that id, which is then given out anew."""
        letter = Letter(stanza)
        before = self._letters.pop(letter.key, None)
        if before is not None:
            letter.unsettled_before = before.given_to
        self._letters[letter.key] = letter
        self._filled.set()

    def settle(self, tag: str, stanza_id: str, connection: int) -> None:
        """A connection has what it was given, or cannot read it: nobody needs to be given it again.

        Every envelope is settled once. What is meant for an earlier one leaves the later one in the queue.
        """
        letter = self._letters.get((tag, stanza_id))
        if letter is not None and letter.unsettled_before == connection:
            letter.unsettled_before = 0
        elif letter is not None:
            del self._letters[letter.key]

    def waiting_for(self, connection: int) -> list[Letter]:
        """What a connection has not got yet and may have now."""
        if self._is_held:
            return []
        return [letter for letter in self._letters.values() if letter.given_to != connection]

    def hold(self, *, is_held: bool) -> None:
        """Give nothing out, or give out again."""
        self._is_held = is_held
        self._filled.set()

    async def filled(self) -> None:
        """Wait until there may be something to give out."""
        await self._filled.wait()
        self._filled.clear()

    def clear(self) -> None:
        """Forget everything, as for a device that is not linked any more."""
        self._letters.clear()

    def __len__(self) -> int:
        return len(self._letters)

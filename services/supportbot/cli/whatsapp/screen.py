"""What a person sees of a pairing in a terminal: the code, what it is for, and how it ended."""

from datetime import UTC, datetime

from rich.console import Console

from supportbot.cli.whatsapp.client import View
from supportbot.whatsapp.gateway import PairingOffer
from supportbot.whatsapp.qr import draw_text

STEPS = "on the bot's phone: WhatsApp, Linked devices, Link a device"


class Screen:
    """Draws each code once.

    Args:
        console: Where.
        redraw: Draw a new code in the place of the old one, where nobody else writes.
    """

    def __init__(self, console: Console, *, redraw: bool = False) -> None:
        self._console = console
        self._redraw = redraw and console.is_terminal
        self._drawn: PairingOffer | None = None
        self._lines = 0

    def say(self, words: str, style: str = "") -> None:
        """One line."""
        self._console.print(words, style=style, highlight=False, markup=False, soft_wrap=True)
        self._lines += 1

    def show(self, view: View) -> None:
        """Draw what is offered, if it is new."""
        offer = view.offer
        if offer is None or offer == self._drawn:
            return
        if self._drawn is not None and self._redraw:
            self._console.file.write(f"\x1b[{self._lines}A\x1b[J")
        self._drawn, self._lines = offer, 0
        left_s = max(0, round((offer.expires_at - datetime.now(UTC)).total_seconds()))
        if offer.code is not None:
            self.say(f"type this code {STEPS}, Link with phone number:")
            self.say(f"\n    {offer.code}\n", "bold")
            self._lines += 2
            self.say(f"it is valid for {left_s} s; whoever has it can link the account")
        elif offer.payload is not None:
            self._draw(offer.payload)
            self.say(f"scan this code {STEPS}")
            self.say(f"a new one follows in {left_s} s; whoever has it can link the account")

    def _draw(self, payload: str) -> None:
        lines = draw_text(payload).splitlines()
        if self._console.is_terminal and self._console.width < len(lines[0]):
            self.say("the window is too narrow for the code: make it wider, or use a smaller font", "yellow")
        # Not by rich, which would wrap it.
        self._console.file.write(f"{draw_text(payload, colour=self._console.is_terminal)}\n")
        self._console.file.flush()
        self._lines += len(lines)

"""What is drawn of a pairing: each code once, the new one in the place of the old one, and nothing too wide unsaid."""

import io
from datetime import UTC, datetime, timedelta

from rich.console import Console

from supportbot.cli.whatsapp.client import View
from supportbot.cli.whatsapp.screen import Screen
from supportbot.whatsapp.gateway import LinkState, PairingMethod, PairingOffer
from supportbot.whatsapp.qr import draw_text

SOON = datetime.now(UTC) + timedelta(minutes=1)


def view(payload: str) -> View:
    offer = PairingOffer(method=PairingMethod.QR, payload=payload, expires_at=SOON)
    return View(state=LinkState.PAIRING, title="", advice="", message="", pairable=True, offer=offer)


def draw(*payloads: str, terminal: bool, redraw: bool, width: int = 120) -> str:
    out = io.StringIO()
    screen = Screen(Console(file=out, force_terminal=terminal, width=width), redraw=redraw)
    for payload in payloads:
        screen.show(view(payload))
    return out.getvalue()


def test_each_code_is_drawn_once() -> None:
    text = draw("one", "one", "two", terminal=False, redraw=True)

    assert [text.count(draw_text(payload)) for payload in ("one", "two")] == [1, 1]
    assert "\x1b" not in text


def test_on_a_terminal_of_its_own_the_old_code_is_wiped() -> None:
    height = len(draw_text("one").splitlines()) + 2

    assert f"\x1b[{height}A\x1b[J" in draw("one", "two", terminal=True, redraw=True)
    assert "\x1b[J" not in draw("one", "two", terminal=True, redraw=False)


def test_a_narrow_window_is_told() -> None:
    assert "the window is too narrow for the code" in draw("one", terminal=True, redraw=True, width=20)
    assert "too narrow" not in draw("one", terminal=True, redraw=True)

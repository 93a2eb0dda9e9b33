"""A pairing's QR code as a picture and as text (pure). It holds exactly the bytes that WhatsApp gave."""

import io
from collections.abc import Iterator

import segno

_LIGHT_ON_DARK = "\x1b[97;40m"
_RESET = "\x1b[0m"
_HALVES = {(True, True): " ", (True, False): "▄", (False, True): "▀", (False, False): "█"}
"""By whether the upper and the lower module are dark; what is drawn is light."""
BORDER = 2
"""Modules of light around the code; the standard wants four, but phones do with two, and terminals are small."""


def draw_svg(payload: str) -> bytes:
    """A picture of its own, without anything from elsewhere."""
    picture = io.BytesIO()
    _make(payload).save(picture, kind="svg", scale=6, border=4, light="white")
    return picture.getvalue()


def draw_text(payload: str, *, colour: bool = False) -> str:
    """Lines of half blocks, two modules above each other in each character.

    Args:
        payload: The code's text.
        colour: With the colours of a terminal, so that the code is dark on light whatever the terminal's own are;
            without, it is so where text is light on dark.
    """
    lines = map("".join, _rows(payload))
    return "\n".join(f"{_LIGHT_ON_DARK}{line}{_RESET}" if colour else line for line in lines)


def _rows(payload: str) -> Iterator[list[str]]:
    modules = [[bool(module) for module in row] for row in _make(payload).matrix_iter(border=BORDER)]
    if len(modules) % 2:
        modules.append([False] * len(modules[0]))
    for upper, lower in zip(modules[::2], modules[1::2], strict=True):
        yield [_HALVES[pair] for pair in zip(upper, lower, strict=True)]


def _make(payload: str) -> segno.QRCode:
    """With little correction, for the code to be small; segno corrects more where there is room."""
    return segno.make_qr(payload, error="l")

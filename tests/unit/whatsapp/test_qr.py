"""The QR code as text: read back module by module."""

import segno

from supportbot.whatsapp.qr import BORDER, draw_text

PAYLOAD = "https://wa.me/settings/linked_devices#2@invented,noise,identity,adv,1"
DARK = {" ": (True, True), "▄": (True, False), "▀": (False, True), "█": (False, False)}


def modules_of(text: str) -> list[list[bool]]:
    rows = []
    for line in text.splitlines():
        rows += [[DARK[char][half] for char in line] for half in (0, 1)]
    return rows


def test_the_text_holds_every_module_and_a_border() -> None:
    code = segno.make_qr(PAYLOAD, error="l")
    size = int(code.symbol_size(border=BORDER)[0])

    drawn = modules_of(draw_text(PAYLOAD))

    assert drawn[:size] == [[bool(module) for module in row] for row in code.matrix_iter(border=BORDER)]
    assert all(not any(row) for row in drawn[size:])


def test_colours_are_around_each_line_only() -> None:
    plain, coloured = draw_text(PAYLOAD).splitlines(), draw_text(PAYLOAD, colour=True).splitlines()

    assert coloured == [f"\x1b[97;40m{line}\x1b[0m" for line in plain]


def test_a_real_payload_fits_into_a_terminal() -> None:
    lines = draw_text("https://wa.me/settings/linked_devices#" + "x" * 250).splitlines()

    assert len(lines) <= 36
    assert len(lines[0]) <= 72

"""The server's queue: what waits, for whom, and until when."""

import asyncio
from collections.abc import Callable

from tests.emulators.whatsapp.mailbox import Letter, Mailbox
from tests.emulators.whatsapp.protocol.binary_xml import Node


def message(stanza_id: str, **attributes: str) -> Node:
    return Node("message", {"id": stanza_id, **attributes})


def give(mailbox: Mailbox, connection: int) -> list[str]:
    letters = mailbox.waiting_for(connection)
    for letter in letters:
        letter.given_to = connection
    return [letter.stanza.text("id") for letter in letters]


def filled(*ids: str) -> Mailbox:
    mailbox = Mailbox()
    for stanza_id in ids:
        mailbox.put(message(stanza_id))
    return mailbox


def test_a_connection_gets_each_letter_once() -> None:
    mailbox = filled("A", "B")

    assert give(mailbox, 1) == ["A", "B"]
    assert give(mailbox, 1) == []


def test_what_has_no_receipt_is_given_to_the_next_connection_in_order() -> None:
    mailbox = filled("A", "B", "C")
    give(mailbox, 1)
    mailbox.settle("message", "B", 1)

    assert give(mailbox, 2) == ["A", "C"]


def test_a_receipt_names_the_tag_too() -> None:
    mailbox = filled("A")
    give(mailbox, 1)

    mailbox.settle("notification", "A", 1)

    assert len(mailbox) == 1


def test_a_receipt_for_nothing_is_no_fault() -> None:
    mailbox = filled("A")

    mailbox.settle("message", "B", 1)

    assert len(mailbox) == 1


def test_the_receipt_of_an_envelope_leaves_the_next_of_the_same_message() -> None:
    """A client that cannot read a message asks for it and acknowledges it: the answer may be written in between."""
    mailbox = filled("A")
    give(mailbox, 1)
    mailbox.put(message("A", count="1"))

    mailbox.settle("message", "A", 1)
    assert give(mailbox, 1) == ["A"]
    mailbox.settle("message", "A", 1)

    assert len(mailbox) == 0


def test_the_receipt_of_an_earlier_connection_is_not_waited_for() -> None:
    mailbox = filled("A")
    give(mailbox, 1)
    mailbox.put(message("A", count="1"))
    give(mailbox, 2)

    mailbox.settle("message", "A", 2)

    assert len(mailbox) == 0


def test_nothing_is_given_out_while_it_is_held() -> None:
    mailbox = filled("A")
    mailbox.hold(is_held=True)
    assert give(mailbox, 1) == []

    mailbox.hold(is_held=False)

    assert give(mailbox, 1) == ["A"]


async def test_whoever_waits_is_woken_by_a_letter_and_by_a_release() -> None:
    mailbox = Mailbox()
    wakes: list[Callable[[], None]] = [lambda: mailbox.put(message("A")), lambda: mailbox.hold(is_held=False)]
    for wake in wakes:
        waiting = asyncio.create_task(mailbox.filled())
        await asyncio.sleep(0)
        assert not waiting.done()
        wake()
        await waiting


def test_a_letter_is_known_by_its_tag_and_id() -> None:
    assert Letter(message("A")).key == ("message", "A")

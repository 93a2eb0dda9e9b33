"""A page fits its bucket whatever the group wrote."""

from tests.unit.ticket.incidents import ANA, AT, make_incident, make_ref

from supportbot.contracts import Evidence
from supportbot.ticket.book import Page, shorten
from supportbot.ticket.convert import make_ticket_text
from supportbot.ticket.words import get_words

MAX_VALUE_BYTES = 1_000_000


def test_page_of_long_messages_fits() -> None:
    long = tuple(Evidence(message_ref=make_ref(n), sender=ANA, sent_at=AT, text="🎫" * 16_384) for n in range(50))
    messages = shorten(long)
    words = get_words("es")
    text = make_ticket_text(make_incident(), messages, words)
    page = Page(
        ticket_id="1",
        ticket_number="1",
        opened_by=make_ref(1),
        incident=make_incident(),
        messages=messages,
        text=text,
    )
    assert len(page.model_dump_json().encode()) < MAX_VALUE_BYTES
    assert messages[:3] == long[:3]
    assert {one.text[-1] for one in messages[3:]} == {"…"}


def test_short_messages_are_kept_whole() -> None:
    short = tuple(Evidence(message_ref=make_ref(n), sender=ANA, sent_at=AT, text="la 909 no imprime") for n in range(9))
    assert shorten(short) == short

"""Who is the same contact."""

import pytest

from supportbot.ticket.asked_tickets import TicketRequest, make_body
from supportbot.ticket.contacts import is_same_phone, make_email
from supportbot.ticket.convert import Portal


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("+525550100001", True),
        ("55 5010 0001", True),
        ("(55) 5010-0001", True),
        ("0052 55 5010 0001", True),
        ("+54 11 5010 0001", False),
        ("5010 0001", False),
        ("ask Ana", False),
        ("", False),
        (None, False),
    ],
)
def test_same_phone(typed: str | None, expected: bool) -> None:
    assert is_same_phone("+525550100001", typed) is expected


def test_nonsense_beside_the_number_hides_nothing() -> None:
    assert is_same_phone("+525550100001", "ask Ana", "55 5010 0001")


def test_address_is_the_same_in_any_case() -> None:
    first, second = (make_email(email, "Ana Soto", b"k") for email in ("Ana@example.com", " ana@EXAMPLE.com"))
    assert first == second
    assert first.body == {"lastName": "Soto", "firstName": "Ana", "email": "ana@example.com"}
    assert "ana" not in first.key
    assert make_email("a@example.com", "", b"k").body == {"lastName": "a@example.com", "email": "a@example.com"}


def test_body_of_a_request() -> None:
    request = TicketRequest(
        subject="x" * 400,
        description="<b>\nno",
        classification="technical",
        contact_id="1",
        department_id="2",
        priority="low",
        error_messages=("E1", "E2 <i>"),
    )
    incident_id = "i_" + "a" * 20
    body = make_body(request, incident_id, Portal())
    assert body == {
        "subject": f"{'x' * 239} [WA-aaaaaaaaaa]",
        "description": "<b>Category:</b> technical<br/><b>Errors:</b> E1, E2 &lt;i&gt;<br/>"
        f"<b>Reference:</b> {incident_id}<br/><p>&lt;b&gt;<br/>no</p>",
        "contactId": "1",
        "departmentId": "2",
        "priority": "Low",
    }

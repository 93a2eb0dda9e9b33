"""The checker finds each kind of fault: one correct world, and each way in which it can be wrong."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from tests.chaos.checker import Observed, Verdict, check
from tests.chaos.generator import Incident, Member

ANA = Member("+529985550001", "Ana")
INCIDENTS = (
    Incident(opening="P1", reporter=ANA, marker="70000001", follow_ups=("70000002",), photos=("aa" * 32,)),
    Incident(opening="P9", reporter=ANA, marker="70000003"),
)


def says(post: str, text: str, key: str) -> dict[str, Any]:
    return {"from_bot": True, "kind": "message", "quoted": post, "text": text, "key": key}


WORLD: dict[str, list[dict[str, Any]]] = {
    "contacts": [{"id": "c1", "phone": "+529985550001", "mobile": "+529985550001"}],
    "tickets": [
        {"id": "t1", "ticketNumber": "101", "subject": "pedido 70000001", "description": "<p>pedido 70000001</p>"},
        {"id": "t2", "ticketNumber": "102", "subject": "orden 70000003", "description": "<p>orden 70000003</p>"},
    ],
    "comments": [{"ticketId": "t1", "content": "el folio es 70000002"}],
    "attachments": [{"ticketId": "t1", "sha256": "aa" * 32}],
    "life": [
        {"from_bot": False, "kind": "message", "quoted": None, "text": "pedido 70000001", "key": None},
        says("P1", "*Ticket #101*: pedido 70000001", "reply.i_a.opened"),
        says("P9", "Tu folio es *WA-X*", "reply.i_b.delayed"),
        says("P9", "*ticket #102* orden 70000003", "reply.i_b.opened"),
    ],
}

Change = Callable[[dict[str, list[dict[str, Any]]]], object]

FAULTS: dict[str, tuple[str, Change]] = {
    "a ticket is missing": ("lost", lambda world: world["tickets"].pop()),
    "a follow-up is missing": ("lost", lambda world: world["comments"].clear()),
    "a follow-up is in another ticket": ("lost", lambda world: world["comments"][0].update(ticketId="t2")),
    "a photo is missing": ("lost", lambda world: world["attachments"].clear()),
    "a photo is in another ticket": ("lost", lambda world: world["attachments"][0].update(ticketId="t2")),
    "an answer is missing": ("lost", lambda world: world["life"].pop()),
    "an answer names another ticket": ("lost", lambda world: world["life"][1].update(text="*Ticket #1012*")),
    "an answer quotes another message": ("lost", lambda world: world["life"][1].update(quoted="P2")),
    "a ticket was made twice": (
        "duplicate_tickets",
        lambda world: world["tickets"].append({**world["tickets"][0], "id": "t3", "ticketNumber": "103"}),
    ),
    "a comment was made twice": (
        "duplicate_tickets",
        lambda world: world["comments"].append(world["comments"][0]),
    ),
    "a follow-up is also in the description": (
        "duplicate_tickets",
        lambda world: world["tickets"][0].update(description="pedido 70000001, el folio es 70000002"),
    ),
    "a photo was attached twice": (
        "duplicate_tickets",
        lambda world: world["attachments"].append(world["attachments"][0]),
    ),
    "a person has two contacts": (
        "duplicate_tickets",
        lambda world: world["contacts"].append({**world["contacts"][0], "id": "c2"}),
    ),
    "an answer was sent twice": ("duplicate_replies", lambda world: world["life"].append(dict(world["life"][1]))),
    "an answer was sent twice under two names": (
        "duplicate_replies",
        lambda world: world["life"].append({**world["life"][1], "key": "reply.i_c.opened"}),
    ),
    "a reaction was sent twice": (
        "duplicate_replies",
        lambda world: world["life"].extend(
            2 * [{**says("", "", "reply.i_a.updated"), "kind": "reaction", "quoted": None}]
        ),
    ),
    "a ticket is of nothing": (
        "false_tickets",
        lambda world: world["tickets"].append(
            {"id": "t3", "ticketNumber": "103", "subject": "gracias", "description": "<p>gracias</p>"}
        ),
    ),
}


def judge(world: dict[str, list[dict[str, Any]]]) -> Verdict:
    return check(INCIDENTS, Observed(state=world, life=world["life"]))


def test_a_correct_world_is_clean() -> None:
    assert judge(WORLD) == Verdict()
    assert judge(WORLD).is_clean


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_is_found(name: str) -> None:
    field, change = FAULTS[name]
    world = deepcopy(WORLD)
    change(world)
    verdict = judge(world)
    assert getattr(verdict, field), verdict
    assert not verdict.is_clean

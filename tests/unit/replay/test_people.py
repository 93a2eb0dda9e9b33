import pytest

from supportbot.cli.replay.people import Cast, Staff, find_staff, near_names
from supportbot.contracts import Person
from supportbot.ids import make_sender_ref

KEY = bytes(32)
AUTHORS = [
    "Óscar  Sistemas",
    "Marina Soporte",
    "~ Wendell",
    "+52 998 555 0101",
    "+55 13 95555-0102",
    "Dr. Amara: North",
]


@pytest.mark.parametrize(
    ("name", "author"),
    [
        ("oscar sistemas", "Óscar  Sistemas"),
        (" MARINA soporte ", "Marina Soporte"),
        ("Wendell", "~ Wendell"),
        ("~ wendell", "~ Wendell"),
        ("Dr. Amara: North", "Dr. Amara: North"),
        ("+529985550101", "+52 998 555 0101"),
        ("529985550101", "+52 998 555 0101"),
        ("+52 1 998 555 0101", "+52 998 555 0101"),
        ("+551395555-0102", "+55 13 95555-0102"),
    ],
)
def test_a_staff_name_is_found_however_it_is_written(name: str, author: str) -> None:
    assert find_staff([name], [], AUTHORS) == Staff(frozenset({author}))


def test_the_phones_of_the_spec_are_found_and_the_absent_ones_are_no_news() -> None:
    assert find_staff([], ["+529985550101", "+529985559999"], AUTHORS) == Staff(frozenset({"+52 998 555 0101"}))


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("Marin", ("Marina Soporte",)),
        ("Oskar", ("Óscar  Sistemas",)),
        ("Soporte", ("Marina Soporte",)),
        ("Amara", ("Dr. Amara: North",)),
        ("Bruno", ()),
        ("", ()),
    ],
)
def test_who_may_be_meant_by_a_name_that_nobody_has(name: str, near: tuple[str, ...]) -> None:
    assert near_names(name, AUTHORS) == near
    assert find_staff([name], [], AUTHORS).unknown == ((name, near),)


def test_the_most_alike_name_comes_first() -> None:
    assert near_names("Luca I", ["Luca Ventas", "Luca IT"]) == ("Luca IT", "Luca Ventas")


def test_authors_are_people_with_a_phone_or_a_name() -> None:
    cast = Cast(KEY, AUTHORS, frozenset({"Marina Soporte"}))
    assert cast.person("+52 998 555 0101") == Person(ref=make_sender_ref(KEY, "+529985550101"), phone="+529985550101")
    assert cast.person("~ Wendell") == Person(ref=make_sender_ref(KEY, "~ Wendell"), push_name="Wendell")
    marina = Person(ref=make_sender_ref(KEY, "Marina Soporte"), push_name="Marina Soporte", staff=True)
    assert cast.person("Marina Soporte") == marina


def test_mentions_are_authors_or_numbers_and_no_other_words() -> None:
    cast = Cast(KEY, AUTHORS, frozenset())
    assert cast.mentioned("oscar sistemas") == cast.person("Óscar  Sistemas")
    assert cast.mentioned("529985550101") == cast.person("+52 998 555 0101")
    assert cast.mentioned("529985550177") == Person(ref=make_sender_ref(KEY, "+529985550177"), phone="+529985550177")
    assert cast.mentioned("todos") is None

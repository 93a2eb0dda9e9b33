"""The order of day and month is inferred from the whole file."""

from dataclasses import dataclass

import pytest
from tests.unit.export.parsing import parse


@dataclass(frozen=True)
class Case:
    name: str
    stamps: tuple[str, ...]
    order: str
    body: str = "Ana: va"


CASES = (
    Case("a day above 12 comes first", ("3/4/26, 9:05", "13/4/26, 9:05"), "DMY"),
    Case("a day above 12 comes second", ("3/4/26, 9:05", "4/13/26, 9:05"), "MDY"),
    Case("one day above 12 beats steps back", ("3/4/26, 9:05", "2/4/26, 9:05", "1/13/26, 9:05"), "MDY"),
    Case("time goes forward, day first", ("9/1/26, 9:05", "2/2/26, 9:05", "5/2/26, 9:05"), "DMY"),
    Case("time goes forward, month first", ("1/9/26, 9:05", "2/2/26, 9:05", "2/5/26, 9:05"), "MDY"),
    Case("short years come first", ("26-01-30, 9:05", "26-02-01, 9:05"), "YMD"),
    Case("a file name tells the date", ("3/4/26, 9:05",), "MDY", "Ana: IMG-20260304-WA0001.jpg (file attached)"),
    Case(
        "an iOS file name tells the date", ("3/4/26, 9:05",), "MDY", "Ana: <attached: 01-PHOTO-2026-03-04-09-05-33.jpg>"
    ),
    Case("AM, no zeros and English are American", ("3/4/26, 9:05 AM",), "MDY", "Ana: <Media omitted>"),
    Case("leading zeros are not American", ("03/04/26, 9:05 AM",), "DMY", "Ana: <Media omitted>"),
    Case("small letters are not American", ("3/4/26, 9:05 am",), "DMY", "Ana: <Media omitted>"),
    Case("24 hours are not American", ("3/4/26, 9:05",), "DMY", "Ana: <Media omitted>"),
    Case("Spanish", ("3/4/26, 9:05 AM",), "DMY", "Ana: <Multimedia omitido>"),
    Case("Portuguese", ("3/4/26, 9:05 AM",), "DMY", "Ana: <Mídia oculta>"),
    Case("dots", ("3.4.26, 9:05 AM",), "DMY", "Ana: <Media omitted>"),
    Case("nothing tells", ("3/4/26, 9:05",), "DMY"),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_order(case: Case) -> None:
    chat = parse("\n".join(f"{stamp} - {case.body}" for stamp in case.stamps))
    assert chat.date_order == case.order
    assert len(chat.messages) == len(case.stamps)


def test_a_date_that_is_impossible_in_the_order_was_pasted() -> None:
    chat = parse("30/1/26, 9:05 - Ana: va\n1/30/26, 9:06 - Ana: pegado\n31/1/26, 9:07 - Ana: fin")
    assert [message.text for message in chat.messages] == ["va\n1/30/26, 9:06 - Ana: pegado", "fin"]

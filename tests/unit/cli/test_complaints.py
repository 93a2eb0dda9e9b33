import pytest

from supportbot.cli.complaints import Complaints, read_trouble

DOWN = {"zoho": ("down", "check client-id")}


def test_a_trouble_that_stays_is_told_once_and_so_is_its_end() -> None:
    complaints = Complaints()
    told = [complaints.note("ticket", trouble) for trouble in (DOWN, DOWN, DOWN, {}, {})]
    assert told == [[], ["zoho is down: check client-id"], [], ["zoho is well again"], []]


def test_what_passes_by_itself_is_not_told() -> None:
    complaints = Complaints()
    assert [complaints.note("whatsapp", trouble) for trouble in (DOWN, {}, DOWN, {})] == [[], [], [], []]


def test_each_service_has_its_own_troubles() -> None:
    complaints = Complaints()
    complaints.note("ticket", DOWN)
    assert complaints.note("whatsapp", DOWN) == []


@pytest.mark.parametrize(
    ("body", "trouble"),
    [
        ({"checks": {"bus": {"state": "ok", "message": ""}, "zoho": {"state": "down", "message": "why"}}}, "down why"),
        ({"checks": {"whatsapp": {"state": "degraded"}}}, "degraded "),
        ({"detail": "the API key is missing"}, ""),
        (["odd"], ""),
    ],
)
def test_only_what_is_not_well_is_read(body: object, trouble: str) -> None:
    assert " ".join(" ".join(pair) for pair in read_trouble(body).values()) == trouble

"""The annotated IRC format: lines, links, threads, and who is taken for staff."""

from tests.benchmarks.irc import Channel, Said, find_threads, read_links, read_messages, to_conversation

LINES = [
    "shop 2026-03-02 [09:00:01] <ana> bruno: the printer is dead",
    "=== carla joined",
    "shop 2026-03-02 [09:00:05] <bruno> @ana: since when?",
    "shop 2026-03-02 [23:59:59] <Ana> bruno since monday",
    "shop 2026-03-02 [00:00:09] <bruno> ok, brunohaus",
    "shop 2026-03-03 <carla> hello",
]


def test_lines_that_people_wrote() -> None:
    said = read_messages(LINES)
    assert [(one.line, one.nick, one.addressed) for one in said] == [
        (0, "ana", ("bruno",)),
        (2, "bruno", ("Ana",)),
        (3, "Ana", ("bruno",)),
        (4, "bruno", ()),
        (5, "carla", ()),
    ]
    times = [one.at for one in said]
    assert times == sorted(times)


def test_threads_are_connected_and_begin_in_the_window_or_before() -> None:
    links = read_links(["999 1000 - ", "1001 1001 -", "1001 1003 -", "1003 1004 -", "1002 1002 -", "x"])
    threads, begun = find_threads(links, {1000, 1001, 1003, 1004})
    assert threads == {1000: "T999", 1001: "T1001", 1003: "T1001", 1004: "T1001"}
    assert begun == {"T1001"}


def test_a_channel_becomes_a_conversation() -> None:
    said = [
        Said(line, one.at, one.nick, one.text)
        for line, one in zip((998, 1000, 1001, 1002), read_messages(LINES), strict=False)
    ]
    channel = Channel("shop", tuple(said), {1000: "T998", 1001: "T1001", 1002: "T1001"}, frozenset({"T1001"}))
    labels = [(one.id, one.role, one.incidents) for one in to_conversation(channel, staff_known=True).messages]
    assert labels == [
        ("998", "followup", ()),
        ("1000", "followup", ("T998",)),
        ("1001", "open", ("T1001",)),
        ("1002", "followup", ("T1001",)),
    ]


def test_who_addresses_many_is_staff() -> None:
    start = read_messages(LINES)[0].at
    asks = [Said(number, start, f"p{number}", "x") for number in range(10)]
    helps = [Said(10 + number, start, "bruno", "x", (f"p{number}",)) for number in range(10)]
    assert Channel("shop", (*asks, *helps), {}, frozenset()).staff == {"bruno"}
    assert Channel("shop", (*asks, *helps[:9]), {}, frozenset()).staff == set()

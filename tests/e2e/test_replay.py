"""`supportbot replay` as people call it: a process of its own, over exports of four phones."""

import json
import os
import re
import resource
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.benchmarks.conversations import read_conversation
from tests.exports import FORMS, Said, render, write_zip

from supportbot.export.chat import read_chat

DATA = Path(__file__).parents[1] / "data"
EXPORTS = DATA / "exports"
CARIBE = EXPORTS / "Chat de WhatsApp con Soporte Tiendas Caribe.txt"
CLINIC = EXPORTS / "WhatsApp Chat - Clinic Front Desks.zip"
KEYS = ["line", "at", "author", "kind", "incident", "opens", "category", "priority", "sites"]
KEYS += ["tier", "confidence", "degraded", "reasons"]
KINDS = {"incident", "follow_up", "evidence", "staff", "resolution", "chatter", "system"}

pytestmark = [pytest.mark.nats, pytest.mark.xdist_group("processes")]  # One of them has a time limit.


@dataclass(frozen=True, kw_only=True)
class Replayed:
    """What the command left behind."""

    status: int
    out: str
    err: str
    decisions: list[dict[str, Any]]


def run(*arguments: object, decisions: Path | None = None, timeout_s: float = 120.0) -> Replayed:
    """Run the command; the environment has no NATS server and nothing of a bot."""
    options = ["--decisions", str(decisions)] if decisions else []
    done = subprocess.run(
        [sys.executable, "-m", "supportbot.cli", "replay", *map(str, arguments), *options],
        capture_output=True,
        text=True,
        timeout=timeout_s,
        env={"PATH": os.environ["PATH"], "TZ": "UTC", "LANG": "C.UTF-8", "COLUMNS": "100"},
    )
    lines = decisions.read_text(encoding="utf-8").splitlines() if decisions and decisions.exists() else []
    return Replayed(
        status=done.returncode, out=done.stdout, err=done.stderr, decisions=[json.loads(line) for line in lines]
    )


@pytest.mark.parametrize(
    "path",
    [
        CARIBE,
        EXPORTS / "Conversa do WhatsApp com Lojas Litoral.txt",
        CLINIC,
        EXPORTS / "dotted.txt",
        EXPORTS / "year_first.txt",
    ],
    ids=lambda path: path.stem,
)
def test_every_message_of_an_export_has_its_line(path: Path, tmp_path: Path) -> None:
    done = run(path, "--json", decisions=tmp_path / "decisions.jsonl")
    assert (done.status, done.err) == (0, "")
    messages = read_chat(path).messages
    assert [(row["line"], row["author"]) for row in done.decisions] == [
        (one.line, one.author or "") for one in messages
    ]
    assert [row["at"] for row in done.decisions] == [f"{one.at.isoformat()}+00:00" for one in messages]
    assert [row["kind"] == "system" for row in done.decisions] == [one.system for one in messages]
    check_rows(done.decisions)
    summary = json.loads(done.out)
    assert [one["incident"] for one in summary["tickets"]] == [
        row["incident"] for row in done.decisions if row["opens"]
    ]
    ledger = summary["ledger"]
    assert ledger["received"] == sum(not one.system for one in messages)
    assert ledger["received"] == sum(count for name, count in ledger.items() if name != "received")
    assert ledger["unaccounted"] == 0


def check_rows(rows: list[dict[str, Any]]) -> None:
    """What every decisions file keeps."""
    for row in rows:
        assert list(row) == KEYS
        assert row["kind"] in KINDS
        assert row["incident"] or not row["opens"]
        assert row["reasons"]
        assert (row["tier"] == "none") == (row["kind"] == "system") == (row["confidence"] is None)
        assert not row["degraded"]  # Without a configured model nothing is missing.
    named = {row["incident"] for row in rows if row["incident"]}
    opened = [row["incident"] for row in rows if row["opens"]]
    assert sorted(opened) == sorted(named)
    assert opened == [f"#{number}" for number in range(1, len(opened) + 1)]


def test_the_tickets_are_those_that_a_person_would_open(tmp_path: Path) -> None:
    """A burst, an interleaved second problem, thanks, an announcement and two days of one group."""
    done = run(
        CARIBE, "--staff", "marina soporte", "--staff", "OSCAR SISTEMAS", "--staff", "529985550101",
        decisions=tmp_path / "decisions.jsonl",
    )  # fmt: skip
    assert (done.status, done.err) == (0, "")
    rows = {row["line"]: row for row in done.decisions}
    by_text = {one.text: rows[one.line] for one in read_chat(CARIBE).messages}
    own = by_text["buen día, la 909 no puede recepcionar, su apoyo"]
    assert (own["kind"], own["opens"], own["priority"]) == ("incident", True, "High")
    assert [rows[line]["incident"] for line in (6, 8, 9, 10, 12)] == [own["incident"]] * 5
    assert [rows[line]["kind"] for line in (6, 8, 9, 10)] == ["evidence", "evidence", "evidence", "staff"]
    printer = by_text["la 305 no imprime tickets desde que abrimos"]
    assert printer["opens"]
    assert printer["incident"] != own["incident"]
    assert by_text["¿folio de la 305?"]["incident"] == printer["incident"]
    for text in ("mil gracias", "buenos días ☀️", "excelente día", "👍"):
        assert (by_text[text]["kind"], by_text[text]["incident"]) == ("chatter", None)
    # Somebody who solves opens nothing but what a photo without words has told: by asking about it.
    asked = [row["reasons"][0] for row in done.decisions if row["kind"] == "staff" and row["opens"]]
    assert set(asked) <= {"reacts to the photo that waited"}
    assert 9 <= sum(row["opens"] for row in done.decisions) <= 14


def test_the_terminal_shows_the_tickets_with_their_messages() -> None:
    done = run(CLINIC, "--staff", "Priya Desk", "--staff", "Luca", "--timezone", "America/New_York")
    assert done.status == 0
    assert done.err == "--staff: nobody in this chat is called 'Luca'; did you mean 'Luca IT'?\n"
    lines = done.out.splitlines()
    assert lines[:5] == [
        "Clinic Front Desks",
        "  file    WhatsApp Chat - Clinic Front Desks.zip, exported by iPhone, dates month/day/year",
        "  period  31 Jan 2026 07:58 to 1 Feb 2026 09:40, America/New_York",
        "  chat    32 messages of 6 people, and 5 notices by WhatsApp",
        "  staff   Priya Desk",
    ]
    assert any(re.fullmatch(r"#\d+  room 214 label printer prints blank stickers", line) for line in lines)
    assert "    31 Jan 08:10  Dr. Amara: North: room 214 label printer prints blank stickers" in lines
    assert lines[-1] == "      0 unaccounted: the sum holds"
    assert "\x1b" not in done.out


def test_brief_has_no_messages_and_all_has_even_the_chatter() -> None:
    text = "    31 Jan 08:02  Wendell: good morning"
    assert text in run(CLINIC, "--all").out
    brief = run(CLINIC, "--brief").out
    assert "tickets would have been opened" in brief
    assert "Wendell: " not in brief


def test_a_period_of_the_chat(tmp_path: Path) -> None:
    done = run(CARIBE, "--since", "2026-02-03", "--until", "2026-02-03T09:30", decisions=tmp_path / "d.jsonl")
    assert done.status == 0
    assert {row["at"][:10] for row in done.decisions} == {"2026-02-03"}
    assert done.decisions[-1]["at"] == "2026-02-03T09:30:00+00:00"
    check_rows(done.decisions)


def test_two_runs_decide_alike(tmp_path: Path) -> None:
    first, second = (run(CARIBE, decisions=tmp_path / name).decisions for name in ("a.jsonl", "b.jsonl"))
    assert first == second


def test_the_bots_file_brings_categories_and_staff(tmp_path: Path) -> None:
    """Without its Secret: a replay calls nobody."""
    bot = tmp_path / "bot.yaml"
    bot.write_text(
        "apiVersion: supportbot.dev/v1alpha1\nkind: SupportBot\nmetadata: {name: stores}\nspec:\n"
        '  whatsapp: {groups: [{jid: 120363025246125486@g.us}], staff: ["+12025550143"]}\n'
        "  classification: {categories: [{name: everything, keywords: [kiosk], priority: Urgent}]}\n"
        '  zoho: {organizationID: "1", departmentID: "2", credentialsSecretRef: {name: zoho}}\n'
    )
    summary = json.loads(run(CLINIC, "--bot", bot, "--json").out)
    assert {one["category"] for one in summary["tickets"]} == {"everything"}
    assert summary["staff"] == ["+1 202-555-0143"]


def make_bomb(path: Path) -> Path:
    return write_zip(path, {"_chat.txt": b"1/2/26, 9:00 - Ana: hola\n" * 2_000_000})


def cut(path: Path, target: Path) -> Path:
    target.write_bytes(path.read_bytes()[:-200])
    return target


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("absent.txt", "does not exist"),
        ("notes.txt", "holds no WhatsApp message"),
        ("latin.txt", "is not UTF-8"),
        ("picture.txt", "is not"),
        ("empty.txt", "is empty"),
        ("cut.zip", "is damaged or incomplete"),
        ("bomb.zip", "zip bomb"),
        ("photos.zip", "holds no .txt"),
        ("text.zip", "is not a zip"),
    ],
)
def test_what_is_no_export_ends_with_one_sentence_and_status_2(name: str, part: str, tmp_path: Path) -> None:
    files: dict[str, Callable[[Path], Path]] = {
        "notes.txt": lambda path: write(path, b"milk\nbread\n"),
        "latin.txt": lambda path: write(path, "1/2/26, 9:00 - Ana: ¿qué pasó?\n".encode("latin-1")),
        "picture.txt": lambda path: write(path, b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"),
        "empty.txt": lambda path: write(path, b""),
        "cut.zip": lambda path: cut(CLINIC, path),
        "bomb.zip": make_bomb,
        "photos.zip": lambda path: write_zip(path, {"IMG-20260131-WA0001.jpg": b"x"}),
        "text.zip": lambda path: write(path, b"1/2/26, 9:00 - Ana: hola\n"),
    }
    path = tmp_path / name
    if name in files:
        files[name](path)
    decisions = tmp_path / "decisions.jsonl"
    done = run(path, decisions=decisions)
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("supportbot: ")
    assert part in done.err
    assert done.err.count("\n") == 1
    assert not decisions.exists()


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (["--since", "yesterday"], "--since: 'yesterday' is no date"),
        (["--since", "2027-01-01"], "holds no message in that period"),
        (["--timezone", "Mars"], "--timezone: 'Mars' is no time zone"),
        (["--bot", "absent.yaml"], "--bot: 'absent.yaml' cannot be read"),
        (
            ["--decisions", "absent/decisions.jsonl"],
            "--decisions: the folder of 'absent/decisions.jsonl' does not exist",
        ),
        (["--decisions", "/"], "--decisions: '/' is a folder"),
    ],
)
def test_wrong_options_end_with_one_sentence_and_status_2(options: list[str], part: str) -> None:
    done = run(CARIBE, *options)
    assert (done.status, done.out) == (2, "")
    assert part in done.err
    assert done.err.count("\n") == 1


@pytest.mark.slow
def test_a_chat_of_5000_messages_is_replayed_within_its_bounds(tmp_path: Path) -> None:
    """Of processor time, NATS included, since other tests prolong what the clock shows: alone two cores need a minute
    for some 110 s of it (`make bench`).

    And what was decided early, which the bounded memory has forgotten by then, is still there at the end.
    """
    messages = long_chat(5_000)
    path = tmp_path / "Chat de WhatsApp con Soporte Caribe.txt"
    path.write_text(render(messages, FORMS[0]), encoding="utf-8")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = run(path, "--json", decisions=tmp_path / "decisions.jsonl", timeout_s=300)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert done.status == 0
    assert [row["author"] for row in done.decisions] == ["", *(one.author for one in messages)]
    check_rows(done.decisions)
    early = done.decisions[1:501]
    assert sum(row["incident"] is not None for row in early) > 300
    assert json.loads(done.out)["ledger"]["unaccounted"] == 0
    assert seconds <= 150, f"{5_000 / seconds:.0f} messages a second"


def long_chat(count: int) -> list[Said]:
    """The labelled conversations one after the other, again and again, each beginning ten hours later."""
    said: list[Said] = []
    begins = datetime.fromisoformat("2026-01-05T08:00")
    while len(said) < count:
        for path in sorted((DATA / "groups").glob("*.jsonl")):
            rows = read_conversation(path)
            first = rows[0].message.sent_at
            for row in rows:
                media = row.message.media.kind if row.message.media else None
                at = begins + (row.message.sent_at - first)
                said.append(Said(at=at, author=row.name, text=row.message.text, media=media))
            begins = said[-1].at + timedelta(hours=10)
    return [replace(one, text=one.text or ("" if one.media else "…")) for one in said[:count]]

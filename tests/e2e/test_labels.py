"""`supportbot label` and `supportbot eval` as a team uses them on its own chat: propose, edit, check, measure."""

import json
import os
import stat
import subprocess
from pathlib import Path

import pytest
from tests.e2e.support import SUPPORTBOT

DATA = Path(__file__).parents[1] / "data"
CARIBE = DATA / "exports" / "Chat de WhatsApp con Soporte Tiendas Caribe.txt"
STAFF = ("--staff", "marina soporte", "--staff", "óscar sistemas")
CHECKED = "=== checked up to here ==="

pytestmark = [pytest.mark.nats, pytest.mark.xdist_group("processes")]


def run(*arguments: object, answers: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(SUPPORTBOT), *map(str, arguments)],
        input=answers,
        stdin=subprocess.DEVNULL if answers is None else None,
        capture_output=True,
        text=True,
        timeout=120,
        env={"PATH": os.environ["PATH"], "TZ": "UTC", "LANG": "C.UTF-8", "COLUMNS": "100"},
        check=False,
    )


@pytest.fixture(scope="module")
def proposed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A labelling file as the command makes it."""
    path = tmp_path_factory.mktemp("labels") / "caribe.labels.txt"
    done = run("label", CARIBE, "--out", path, *STAFF)
    assert (done.returncode, done.stderr) == (0, "")
    assert "0 of 68 messages checked" in done.stdout
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    return path


def accepted(proposed: Path, folder: Path) -> Path:
    """The file after a person has moved the mark to its end."""
    path = folder / "caribe.labels.txt"
    path.write_text(proposed.read_text(encoding="utf-8").replace(f"{CHECKED}\n", "") + f"{CHECKED}\n", encoding="utf-8")
    return path


def test_what_the_bot_proposes_is_what_it_decides(proposed: Path, tmp_path: Path) -> None:
    """Labels that nobody changed agree with the replay, with the tiers' pure parts, and without anybody's name."""
    labels, decisions, hidden = accepted(proposed, tmp_path), tmp_path / "d.jsonl", tmp_path / "hidden.jsonl"
    assert run("replay", CARIBE, "--decisions", decisions, "--brief", *STAFF).returncode == 0
    assert run("label", labels, "--out", hidden, "--anonymise").returncode == 0
    assert not {"Marina", "Lupita"} & set(hidden.read_text(encoding="utf-8").replace('"', " ").split())
    best = json.loads(run("eval", labels, "--json", "--staff", "listed").stdout)["runs"][0]["tier"]
    perfect = ["--fail-below", "f1=1", "--fail-below", "b3=1", "--fail-above", "chatter_attached=0"]
    for measured in (
        run("eval", labels, "--decisions", decisions, *perfect),
        run("eval", hidden, "--decisions", decisions, *perfect),
        run("eval", labels, "--tier", best, "--staff", "listed", *perfect),
    ):
        assert measured.returncode == 0, measured.stdout + measured.stderr


def test_an_edited_file_is_checked_by_line(proposed: Path, tmp_path: Path) -> None:
    path, rows = accepted(proposed, tmp_path), tmp_path / "rows.jsonl"
    assert run("label", path, "--out", rows).returncode == 0
    labelled = map(json.loads, rows.read_text(encoding="utf-8").splitlines())
    named = [name for row in labelled for name in row.get("incidents", ())]
    checked = run("label", path, "--check")
    first_line = f"68 of 68 messages are checked, {len(set(named))} incidents"
    assert (checked.returncode, checked.stdout.splitlines()[0]) == (0, first_line)
    lines = path.read_text(encoding="utf-8").split("\n")
    number = next(number for number, line in enumerate(lines, 1) if "no puede recepcionar" in line)
    lines[number - 1] = lines[number - 1].replace("open ", "opens")
    path.write_text("\n".join(lines), encoding="utf-8")
    for command in (("label", path, "--check"), ("eval", path)):
        done = run(*command)
        assert done.returncode == 2
        assert f"line {number}: 'opens' is no role" in done.stderr


def test_going_through_it_can_be_left_and_resumed(proposed: Path, tmp_path: Path) -> None:
    path = tmp_path / "mine.labels.txt"
    path.write_text(proposed.read_text(encoding="utf-8"), encoding="utf-8")
    assert run("label", path, "--ask", answers="c\n\nnonsense\n").returncode == 0
    assert "2 of 68 messages are checked" in run("label", path, "--check").stdout
    resumed = run("label", path, "--ask", answers="\nq\n")
    assert "3 of 68 messages checked" in resumed.stdout
    converted = tmp_path / "mine.jsonl"
    assert run("label", path, "-o", converted).returncode == 0
    rows = [json.loads(line) for line in converted.read_text(encoding="utf-8").splitlines()]
    assert [row["role"] for row in rows] == ["chatter", "chatter", "evidence"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["label", CARIBE], "say with --out which file to make"),
        (["label", CARIBE, "--out", "{there}"], "labels are never overwritten"),
        (["label", CARIBE, "--check"], "make a file of labels of it first"),
        (["label", CARIBE, "--out", "{new}", "--staff", "Nobody"], "nobody in this chat is called 'Nobody'"),
        (["label", "{there}", "--out", "{new}.jsonl"], "nothing is checked yet"),
        (["label", "absent.txt", "--out", "{new}"], "'absent.txt' does not exist"),
        (["eval", "{there}"], "nothing in '{there}' is checked yet"),
        (["eval", DATA / "groups", "--decisions", "{there}"], "they are of one chat"),
        (["eval", DATA / "groups" / "couriers.jsonl", "--fail-below", "beauty=1"], "there is no measure 'beauty'"),
    ],
)
def test_wrong_use_ends_with_one_sentence_and_status_2(
    arguments: list[object], told: str, proposed: Path, tmp_path: Path
) -> None:
    places = {"{there}": str(proposed), "{new}": str(tmp_path / "new")}

    def placed(text: object) -> str:
        for name, place in places.items():
            text = str(text).replace(name, place)
        return str(text)

    done = run(*map(placed, arguments))
    assert (done.returncode, done.stdout) == (2, "")
    assert placed(told) in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "new").exists()


def test_a_report_is_compared_with_an_earlier_one(tmp_path: Path) -> None:
    group, base = DATA / "groups" / "couriers.jsonl", tmp_path / "base.json"
    whole = run("eval", group, "--tier", "keywords", "--staff", "listed", "--json")
    base.write_text(whole.stdout, encoding="utf-8")
    compared = ("--tier", "keywords", "--staff", "listed", "--compare", base, "--max-loss", "0")
    assert run("eval", group, *compared).returncode == 0
    document = json.loads(whole.stdout)
    document["runs"][0]["total"]["f1"] = 1.0
    base.write_text(json.dumps(document), encoding="utf-8")
    worse = run("eval", group, *compared)
    assert worse.returncode == 1
    assert "keywords, staff listed: f1 was 1.0, and is 0." in worse.stderr

from pathlib import Path

import pytest

from supportbot.cli.replay.decisions import check_path
from supportbot.errors import UserError


def test_the_chat_itself_is_not_overwritten(tmp_path: Path) -> None:
    chat = tmp_path / "chat.txt"
    chat.write_text("31/01/2026, 09:05 - Ana: hola\n", encoding="utf-8")
    alias = tmp_path / "alias.txt"
    alias.symlink_to(chat)
    for path in (chat, tmp_path / "." / "chat.txt", alias):
        with pytest.raises(UserError, match="replay reads"):
            check_path(path, read=[chat])


def test_another_file_may_be_there_or_not(tmp_path: Path) -> None:
    old = tmp_path / "old.jsonl"
    old.write_text("", encoding="utf-8")
    for path in (old, tmp_path / "new.jsonl"):
        check_path(path, read=[tmp_path / "chat.txt", tmp_path / "absent.yaml"])


@pytest.mark.parametrize(("name", "why"), [("", "is a folder"), ("absent/decisions.jsonl", "does not exist")])
def test_what_cannot_be_written_is_told_before_the_run(name: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=why):
        check_path(tmp_path / name, read=[])

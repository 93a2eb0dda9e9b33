"""The data folder of `supportbot up`: one user at a time, private files, nothing stale."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from supportbot.cli.data_folder import DataFolder
from supportbot.errors import UserError
from supportbot.spec import load_bot, parse_bot_file

BOT = """\
apiVersion: supportbot.dev/v1alpha1
kind: SupportBot
metadata: {name: tiendas}
spec:
  whatsapp: {gateway: Simulator, groups: [{jid: 120363025246125486@g.us}]}
  zoho: {organizationID: "1", departmentID: "2", credentialsSecretRef: {name: zoho}}
---
apiVersion: v1
kind: Secret
metadata: {name: zoho}
stringData: {client-id: a, client-secret: b, refresh-token: c}
"""


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_written_spec_is_the_bot(tmp_path: Path) -> None:
    file = parse_bot_file(BOT, source="bot.yaml")
    folder = DataFolder(tmp_path).write_bot(file.bot, file.secrets)
    assert load_bot(folder.spec) == file.bot


def test_secrets_are_private_files(tmp_path: Path) -> None:
    file = parse_bot_file(BOT, source="bot.yaml")
    data = DataFolder(tmp_path)
    folder = data.write_bot(file.bot, file.secrets)
    assert (folder.secrets / "zoho" / "refresh-token").read_text() == "c"
    private = (folder.secrets / "zoho" / "refresh-token", data.install_key)
    assert [mode_of(path) for path in private] == [0o600, 0o600]
    assert mode_of(folder.secrets) == 0o700


def test_removed_secret_disappears_and_the_key_stays(tmp_path: Path) -> None:
    file = parse_bot_file(BOT, source="bot.yaml")
    data = DataFolder(tmp_path)
    data.write_bot(file.bot, {**file.secrets, "old": {"key": "value"}})
    key = data.install_key.read_text()
    folder = data.write_bot(file.bot, file.secrets)
    assert sorted(path.name for path in folder.secrets.iterdir()) == ["zoho"]
    assert data.install_key.read_text() == key


def test_second_process_is_refused_by_name(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from supportbot.cli.data_folder import DataFolder\n"
        "with DataFolder(Path(sys.argv[1])).lock(): print('held', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(UserError, match=f"process {holder.pid} uses the data folder"), DataFolder(tmp_path).lock():
            pass
    finally:
        holder.communicate()
    with DataFolder(tmp_path).lock():
        pass


def test_unusable_folder_is_a_clear_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(UserError, match=r"cannot use the data folder .* see --data"),
        DataFolder(tmp_path / "file").lock(),
    ):
        pass

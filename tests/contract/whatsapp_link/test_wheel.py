"""The installed library is the one that the gateway was written for: names, orders, and what is private.

After an upgrade this says what to look at; the tests beside it say whether it still works.
"""

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.linked import Paired

SCRIPT = Path(__file__).with_name("wheel.py")
EXPECTED: dict[str, Any] = json.loads((Path(__file__).parents[2] / "data" / "whatsapp" / "wheel.json").read_text())


def test_what_the_gateway_calls_and_reads_is_as_it_was() -> None:
    ran = subprocess.run([sys.executable, str(SCRIPT)], capture_output=True, text=True, check=True, timeout=60)

    assert json.loads(ran.stdout) == EXPECTED


def test_the_session_has_the_tables_that_are_read(perhaps_paired: Paired) -> None:
    read = {
        "whatsmeow_device": {"jid", "lid"},
        "whatsmeow_message_secrets": {"chat_jid", "sender_jid", "message_id", "key"},
        "whatsmeow_lid_map": {"lid", "pn"},
    }
    with closing(sqlite3.connect(perhaps_paired.session)) as db:
        columns = {table: {row[1] for row in db.execute(f"PRAGMA table_info({table})")} for table in read}

    assert {table: names & columns[table] for table, names in read.items()} == read


def test_without_the_library_the_service_says_what_to_install(tmp_path: Path) -> None:
    from tests.simulated import INSTALL_KEY, spec_document

    spec = spec_document()
    spec["spec"]["whatsapp"]["gateway"] = "Neonize"
    (tmp_path / "bot.yaml").write_text(json.dumps(spec))
    (tmp_path / "secrets").mkdir()
    (tmp_path / "key").write_text(INSTALL_KEY.hex())
    hide = (
        "import sys, runpy; sys.modules['neonize'] = None; runpy.run_module('supportbot.whatsapp', run_name='__main__')"
    )
    environ = {
        "SUPPORTBOT_SPEC": str(tmp_path / "bot.yaml"),
        "SUPPORTBOT_SECRETS": str(tmp_path / "secrets"),
        "SUPPORTBOT_DATA": str(tmp_path / "data"),
        "SUPPORTBOT_INSTALL_KEY_FILE": str(tmp_path / "key"),
        "SUPPORTBOT_PORT": "0",
        "SUPPORTBOT_METRICS_PORT": "0",
    }
    ran = subprocess.run(
        [sys.executable, "-c", hide],
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ran.returncode == 2
    assert "pip install 'supportbot[neonize]'" in ran.stderr

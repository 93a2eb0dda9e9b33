from pathlib import Path

import pytest
from tests.unit.replay.exported import exported

from supportbot.cli.replay.bot import default_bot, read_bot
from supportbot.errors import UserError
from supportbot.spec import Mode

BOT = """\
apiVersion: supportbot.dev/v1alpha1
kind: SupportBot
metadata: {name: stores}
spec:
  language: pt
  whatsapp:
    groups: [{jid: 120363025246125486@g.us}]
    staff: ["+529985550101"]
  zoho: {organizationID: "1", departmentID: "2", credentialsSecretRef: {name: zoho}}
"""
SECRET = "---\napiVersion: v1\nkind: Secret\nmetadata: {name: zoho}\nstringData: {client-id: REPLACE_ME}\n"


@pytest.mark.parametrize("text", [BOT, BOT + SECRET, SECRET + "---\n" + BOT])
def test_a_bot_is_read_without_its_secrets(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bot.yaml"
    path.write_text(text)
    bot = read_bot(path)
    assert (bot.metadata.name, bot.spec.language, bot.spec.whatsapp.staff) == ("stores", "pt", ("+529985550101",))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (SECRET, "must hold one SupportBot; it holds 0"),
        (f"{BOT}---\n{BOT}", "must hold one SupportBot; it holds 2"),
        ("kind: [", "is no YAML"),
        (BOT.replace("language: pt", "language: xx"), "spec.language"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "bot.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match=message):
        read_bot(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        read_bot(tmp_path / "absent.yaml")


@pytest.mark.parametrize(
    ("notice", "language"),
    [
        ("Los mensajes y las llamadas están cifrados de extremo a extremo.", "es"),
        ("Messages and calls are end-to-end encrypted.", "en"),
        ("As mensagens são protegidas com a criptografia de ponta a ponta.", "pt"),
        ("Nachrichten sind verschlüsselt.", "es"),
    ],
)
def test_the_default_bot_speaks_as_the_phone_does(notice: str, language: str) -> None:
    bot = default_bot([exported(notice, author=None), exported("omitted")])
    assert (bot.spec.language, bot.spec.mode) == (language, Mode.SHADOW)

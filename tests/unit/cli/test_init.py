"""`supportbot init`: the file that comes of answers or of the earlier generation's .env files."""

import stat
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pytest
import typer
import yaml
from typer.testing import CliRunner, Result

from supportbot.cli.init import init_command
from supportbot.cli.init.env_files import read_env_files
from supportbot.cli.init.from_env import Migration, migrate
from supportbot.cli.init.models import KnownModel, find_model
from supportbot.errors import UserError
from supportbot.spec import BotFile, Provider, SpecError, parse_bot_file

TODAY = date(2026, 11, 24)

app = typer.Typer()
app.command()(init_command)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str, answers: str = "") -> Result:
    return CliRunner().invoke(app, arguments, input=answers)


def migrated(*texts: str) -> Migration:
    return migrate(read_env_files([(f"file {n}", text) for n, text in enumerate(texts, 1)]), today=TODAY)


COMPLETE = """\
# WhatsApp
WHATSAPP_GROUP_ID=120363000000000001
export PRIMARY_AI_MODEL="gpt-6-luna"
FALLBACK_AI_MODEL='claude'   # when OpenAI is away
OPENAI_API_KEY=sk-secret-one
ANTHROPIC_API_KEY=sk-secret-two#3
MODEL_TEMPERATURE=0.10
MAX_TOKENS=1000

ZOHO_CLIENT_ID=1000.INVENTED
ZOHO_CLIENT_SECRET=secret-three
ZOHO_REFRESH_TOKEN=1000.secret-four
ZOHO_ORG_ID=123456789
ZOHO_DEPARTMENT_ID=987654321
ZOHO_DOMAIN=https://desk.zoho.eu
"""


def complete_file(here: Path) -> BotFile:
    (here / ".env").write_text(COMPLETE)
    result = run("--from-env", ".env")
    assert result.exit_code == 0, result.output
    assert "secret" not in result.output.replace("it holds secrets", "")
    assert "Before it can run" not in result.output
    assert result.output.endswith("Next: supportbot up bot.yaml\n")
    return parse_bot_file((here / "bot.yaml").read_text(), source="bot.yaml")


def test_complete_installation_comes_along(here: Path) -> None:
    file = complete_file(here)
    options = {"temperature": "0.1", "maxTokens": 1000}
    assert file.bot.spec.model_dump(by_alias=True, mode="json", exclude_unset=True) == {
        "whatsapp": {"groups": [{"jid": "120363000000000001@g.us"}]},
        "models": {
            "primary": {
                "provider": "OpenAI",
                "model": "gpt-6-luna",
                "apiKeySecretRef": {"name": "ai", "key": "openai"},
                **options,
            },
            "fallbacks": [
                {
                    "provider": "Anthropic",
                    "model": "claude-haiku-5-5",
                    "apiKeySecretRef": {"name": "ai", "key": "anthropic"},
                    **options,
                }
            ],
        },
        "zoho": {
            "dataCenter": "EU",
            "organizationID": "123456789",
            "departmentID": "987654321",
            "credentialsSecretRef": {"name": "zoho"},
        },
    }
    assert file.secrets == {
        "ai": {"openai": "sk-secret-one", "anthropic": "sk-secret-two#3"},
        "zoho": {"client-id": "1000.INVENTED", "client-secret": "secret-three", "refresh-token": "1000.secret-four"},
    }


def test_file_is_for_its_owner_only(here: Path) -> None:
    complete_file(here)
    assert stat.S_IMODE((here / "bot.yaml").stat().st_mode) == 0o600
    assert sorted(path.name for path in here.iterdir()) == [".env", "bot.yaml"]


def test_existing_file_is_kept_without_force(here: Path) -> None:
    (here / ".env").write_text(COMPLETE)
    (here / "bot.yaml").write_text("precious")
    (here / "bot.yaml").chmod(0o644)
    refused = run("--from-env", ".env")
    assert isinstance(refused.exception, UserError)
    assert "bot.yaml exists; --force" in str(refused.exception)
    assert (here / "bot.yaml").read_text() == "precious"
    assert run("--from-env", ".env", "--force").exit_code == 0
    assert stat.S_IMODE((here / "bot.yaml").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--from-env", "absent.env"], "absent.env cannot be read: No such file or directory"),
        (["absent.env"], "is given without --from-env"),
        (
            ["--from-env", ".env", "-o", "no/such/folder/bot.yaml"],
            "no/such/folder/bot.yaml does not exist",
        ),
    ],
)
def test_wrong_calls(here: Path, arguments: list[str], message: str) -> None:
    (here / ".env").write_text(COMPLETE)
    result = run(*arguments)
    assert isinstance(result.exception, UserError)
    assert message in str(result.exception)


def test_bare_installation_gets_placeholders_that_up_refuses(here: Path) -> None:
    """As the earlier generation's example file was copied and half filled in; CRLF, from a Windows editor."""
    text = (
        "WHATSAPP_GROUP_ID=your_group_id@g.us\n"
        "PRIMARY_AI_MODEL=openai\nFALLBACK_AI_MODEL=gemini-pro\n"
        "OPENAI_API_KEY=sk-your-key-here\nGOOGLE_API_KEY=\n"
        "ZOHO_CLIENT_ID=1000.INVENTED\nZOHO_CLIENT_SECRET=very-secret\n"
        "ZOHO_REDIRECT_URI=http://localhost:8003/auth/callback\nZOHO_AUTHORIZATION_CODE=1000.used-up-secret\n"
        "ZOHO_ORG_ID=123456789\nPORT=3001\nREDIS_URL=redis://:secret@localhost:6379\nNODE_ENV=production\n"
    )
    (here / ".env").write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    result = run("--from-env", ".env")
    assert result.exit_code == 0, result.output
    written = (here / "bot.yaml").read_text()
    assert "departmentID: REPLACE_ME  # the number of the Zoho Desk department that gets the tickets" in written
    assert "refresh-token: REPLACE_ME  # of the client in Zoho's API console" in written
    with pytest.raises(SpecError) as refused:
        parse_bot_file(written, source="bot.yaml")
    assert [str(fault).partition(": replace")[0] for fault in refused.value.faults] == [
        "spec.whatsapp.groups[0].jid: is still a placeholder",
        "spec.zoho.departmentID: is still a placeholder",
        "spec.models.primary.apiKeySecretRef: the key openai of Secret ai is still a placeholder",
        "spec.zoho.credentialsSecretRef: the key refresh-token of Secret zoho is still a placeholder",
    ]
    assert all(str(fault) in result.output for fault in refused.value.faults)
    for told in (
        "Carried over: PRIMARY_AI_MODEL, ZOHO_ORG_ID, ZOHO_CLIENT_ID, ZOHO_CLIENT_SECRET\n",
        "PRIMARY_AI_MODEL: gpt-4o-mini is served until 2027-01-14; gpt-6-luna is to follow it",
        "FALLBACK_AI_MODEL: there is no GOOGLE_API_KEY",
        "WHATSAPP_GROUP_ID: it has no value yet",
        "OPENAI_API_KEY: it has no value yet",
        "ZOHO_AUTHORIZATION_CODE: a code works once and is used up",
        "ZOHO_REDIRECT_URI: only needed to get a refresh token",
        "PORT: every service has its documented port",
        "REDIS_URL: messages travel over NATS JetStream now",
        "NODE_ENV: this version has no such setting",
    ):
        assert told in result.output
    assert "secret@" not in result.output
    assert "used-up-secret" not in result.output
    assert "very-secret" not in result.output


def test_files_of_the_services_are_merged(here: Path) -> None:
    (here / "whatsapp.env").write_text("WHATSAPP_GROUP_ID=120363000000000001@g.us\nPORT=3001\n")
    (here / "ticket.env").write_text("PORT=8003\nZOHO_ORG_ID=1\nZOHO_CLIENT_ID=\n")
    (here / "more.env").write_text("ZOHO_CLIENT_ID=1000.A\nZOHO_ORG_ID=2\nnonsense here\n")
    result = run("--from-env", "whatsapp.env", "--from-env", "ticket.env", "more.env", "-o", "own.yaml")
    assert result.exit_code == 0, result.output
    assert "Carried over: WHATSAPP_GROUP_ID, ZOHO_ORG_ID, ZOHO_CLIENT_ID\n" in result.output
    assert "Mind:\n  ZOHO_ORG_ID: ticket.env and more.env differ; more.env counts\n" in result.output
    assert "more.env, line 3: it is no assignment" in result.output
    bot, zoho = yaml.safe_load_all((here / "own.yaml").read_text())
    assert "models" not in bot["spec"]
    assert zoho["stringData"]["client-id"] == "1000.A"


@dataclass(frozen=True)
class Case:
    """Lines of an .env file, and what becomes of them in the spec."""

    text: str
    place: str
    value: object
    left: tuple[str, ...] = field(default=())


MODEL = "PRIMARY_AI_MODEL=gpt-6-luna\nOPENAI_API_KEY=k\n"

CASES = (
    Case("WHATSAPP_GROUP_ID=529980000001-1580000000", "whatsapp.groups.0.jid", "529980000001-1580000000@g.us"),
    Case("whatsapp_group_id = '120363000000000001@g.us'", "whatsapp.groups.0.jid", "120363000000000001@g.us"),
    Case('WHATSAPP_GROUP_ID="1, 2@g.us;1"', "whatsapp.groups", [{"jid": "1@g.us"}, {"jid": "2@g.us"}]),
    Case("A=1\nWHATSAPP_GROUP_ID=${A}2", "whatsapp.groups.0.jid", "12@g.us", ("A",)),
    Case("WHATSAPP_GROUP_ID=${NONE:-7}", "whatsapp.groups.0.jid", "7@g.us"),
    Case(
        "WHATSAPP_GROUP_ID=https://chat.whatsapp.com/AbC", "whatsapp.groups.0.jid", "REPLACE_ME", ("WHATSAPP_GROUP_ID",)
    ),
    Case("WHATSAPP_GROUP_ID=5299@s.whatsapp.net", "whatsapp.groups.0.jid", "REPLACE_ME", ("WHATSAPP_GROUP_ID",)),
    Case(MODEL + "MODEL_TEMPERATURE=0,25", "models.primary.temperature", "0.25"),
    Case(MODEL + "MODEL_TEMPERATURE=.1", "models.primary.temperature", "0.1"),
    Case(MODEL + "MODEL_TEMPERATURE=2.0", "models.primary.temperature", "2"),
    Case(MODEL + "MODEL_TEMPERATURE=3", "models.primary.temperature", None, ("MODEL_TEMPERATURE",)),
    Case(MODEL + "MODEL_TEMPERATURE=NaN", "models.primary.temperature", None, ("MODEL_TEMPERATURE",)),
    Case(MODEL + "MODEL_TEMPERATURE=low", "models.primary.temperature", None, ("MODEL_TEMPERATURE",)),
    Case(MODEL + "MAX_TOKENS=1_000", "models.primary.maxTokens", 1000),
    Case(MODEL + "MAX_TOKENS=100000", "models.primary.maxTokens", None, ("MAX_TOKENS",)),
    Case(MODEL + "MAX_TOKENS=many", "models.primary.maxTokens", None, ("MAX_TOKENS",)),
    Case(MODEL + "FALLBACK_AI_MODEL=gpt-6-luna", "models.fallbacks", None),
    Case(MODEL + "FALLBACK_AI_MODEL=mistral", "models.fallbacks", None, ("FALLBACK_AI_MODEL",)),
    Case(MODEL + "FALLBACK_AI_MODEL=claude-3-haiku", "models.fallbacks", None, ("FALLBACK_AI_MODEL",)),
    Case(MODEL + "GOOGLE_API_KEY=g", "models.fallbacks", None, ("GOOGLE_API_KEY",)),
    Case("PRIMARY_AI_MODEL=gemini\nGEMINI_API_KEY=g", "models.primary.model", "gemini-3.5-flash-lite"),
    Case("GOOGLE_API_KEY=g\nANTHROPIC_API_KEY=a", "models.fallbacks.0.model", "claude-haiku-5-5"),
    Case("ZOHO_ORG_ID=acme", "zoho.organizationID", "REPLACE_ME", ("ZOHO_ORG_ID",)),
    Case("ZOHO_DATA_CENTER=in", "zoho.dataCenter", "IN"),
    Case("ZOHO_DOMAIN=.com.au", "zoho.dataCenter", "AU"),
    Case("ZOHO_BASE_URL=https://desk.zoho.com/api/v1", "zoho.dataCenter", "US"),
    Case("ZOHO_ACCOUNTS_URL=https://accounts.zohocloud.ca", "zoho.dataCenter", "CA"),
    Case("ZOHO_DATA_CENTER=mars", "zoho.dataCenter", None, ("ZOHO_DATA_CENTER",)),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.text.replace("\n", " "))
def test_variables(case: Case) -> None:
    migration = migrated(case.text)
    value: object = migration.draft.spec
    for step in case.place.split("."):
        value = value[int(step)] if isinstance(value, list) else value.get(step) if isinstance(value, dict) else None
    assert value == case.value
    assert tuple(note.partition(":")[0] for note in migration.left) == case.left


GPT_4O_MINI = KnownModel(
    Provider.OPENAI, "gpt-4o-mini", "gpt-4o-mini is served until 2027-01-14; gpt-6-luna is to follow it"
)


def replaced(provider: Provider, old: str, new: str) -> KnownModel:
    return KnownModel(provider, new, f"{old} is no longer served; replaced by {new}")


@pytest.mark.parametrize(
    ("value", "model"),
    [
        ("openai", GPT_4O_MINI),
        ("GPT-4o-mini", GPT_4O_MINI),
        ("openai/gpt-6-luna", KnownModel(Provider.OPENAI, "gpt-6-luna")),
        ("o3-mini", KnownModel(Provider.OPENAI, "o3-mini")),
        ("google", KnownModel(Provider.GEMINI, "gemini-3.5-flash-lite")),
        ("models/gemini-pro", replaced(Provider.GEMINI, "gemini-pro", "gemini-3.5-flash-lite")),
        ("gemini-1.5-flash", replaced(Provider.GEMINI, "gemini-1.5-flash", "gemini-3.5-flash-lite")),
        ("claude-3-haiku", replaced(Provider.ANTHROPIC, "claude-3-haiku", "claude-haiku-5-5")),
        ("claude-haiku-4-5", KnownModel(Provider.ANTHROPIC, "claude-haiku-4-5")),
        ("llama", None),
        ("", None),
    ],
)
def test_models(value: str, model: KnownModel | None) -> None:
    assert find_model(value, today=TODAY) == model


def test_model_is_replaced_after_its_last_day() -> None:
    found = find_model("openai", today=date(2027, 1, 15))
    assert found == replaced(Provider.OPENAI, "gpt-4o-mini", "gpt-6-luna")


def test_trying_out_takes_enter_only(here: Path) -> None:
    """A laptop, no account, no key: the file can run at once."""
    result = run(answers="\n" * 5)
    assert result.exit_code == 0, result.output
    assert "Before it can run" not in result.output
    file = parse_bot_file((here / "bot.yaml").read_text(), source="bot.yaml")
    assert file.bot.metadata.name == "support"
    assert file.bot.spec.model_dump(by_alias=True, mode="json", exclude_unset=True) == {
        "mode": "Shadow",
        "language": "es",
        "whatsapp": {"gateway": "Simulator", "groups": [{"jid": "120363000000000001@g.us"}]},
    }
    assert file.secrets == {}


def test_wrong_answers_are_asked_again(here: Path) -> None:
    answers = [
        "My Bot", "stores",
        "french", "PT",
        "neonize",
        "12 3", "120363000000000001, 120363000000000002@g.us",
        "code", "998 000", "+529980000001",
        "+52 998 000 0002, (12)", "+52 (998) 000-0002",
        "auto",
        "openaicompatible", "qwen3", "models:8000", "http://models:8000/v1", "n",
        "openai", "", "sk-very-secret",
        "none",
        "eu", "acme", "123", "456", "1000.A", "very-secret", "1000.very-secret",
    ]  # fmt: skip
    result = run(answers="\n".join([*answers, ""]))
    assert result.exit_code == 0, result.output
    assert "It must be a name of lower-case letters" in result.output
    assert "very-secret" not in result.output
    file = parse_bot_file((here / "bot.yaml").read_text(), source="bot.yaml")
    assert file.bot.spec.model_dump(by_alias=True, mode="json", exclude_unset=True) == {
        "mode": "Auto",
        "language": "pt",
        "whatsapp": {
            "gateway": "Neonize",
            "groups": [{"jid": "120363000000000001@g.us"}, {"jid": "120363000000000002@g.us"}],
            "pairing": {"method": "Code", "phoneNumber": "+529980000001"},
            "staff": ["+529980000002"],
        },
        "models": {
            "primary": {"provider": "OpenAICompatible", "model": "qwen3", "baseURL": "http://models:8000/v1"},
            "fallbacks": [
                {
                    "provider": "OpenAI",
                    "model": "gpt-6-luna",
                    "apiKeySecretRef": {"name": "ai", "key": "openai"},
                }
            ],
        },
        "zoho": {
            "dataCenter": "EU",
            "organizationID": "123",
            "departmentID": "456",
            "credentialsSecretRef": {"name": "zoho"},
        },
    }
    assert file.secrets == {
        "ai": {"openai": "sk-very-secret"},
        "zoho": {"client-id": "1000.A", "client-secret": "very-secret", "refresh-token": "1000.very-secret"},
    }


def test_what_is_not_known_yet_can_wait(here: Path) -> None:
    """Enter to every question but the gateway: a file with placeholders, and the list of what to fill in."""
    result = run(answers="\n\nneonize" + "\n" * 20)
    assert result.exit_code == 0, result.output
    assert "Before it can run, fill in:\n  spec.whatsapp.groups[0].jid: is still a placeholder" in result.output
    assert "jid: REPLACE_ME  # the id of the WhatsApp group" in (here / "bot.yaml").read_text()


def test_interrupted_questions_leave_no_file(here: Path) -> None:
    result = run(answers="stores\n")
    assert result.exit_code != 0
    assert list(here.iterdir()) == []

"""Bot files: the documents in them, the secrets, and how everything that is wrong is told at once."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from supportbot.spec import (
    PLACEHOLDER,
    Fault,
    SecretKey,
    SpecError,
    default_categories,
    fault_of,
    load_bot,
    parse_bot_file,
    scalars,
    secret_refs,
)

BOT = """\
apiVersion: supportbot.dev/v1alpha1
kind: SupportBot
metadata: {name: stores, namespace: support}
spec:
  whatsapp: {groups: [{jid: 120363000000000001@g.us}]}
  models:
    primary: {provider: OpenAI, model: gpt-6-luna, apiKeySecretRef: {name: ai, key: openai}, timeout: 1m30s}
    fallbacks: [{provider: Gemini, model: gemini-3.5-flash-lite, apiKeySecretRef: {name: ai, key: google}}]
  zoho: {organizationID: "1", departmentID: "2", credentialsSecretRef: {name: zoho}}
"""
AI = """\
---
apiVersion: v1
kind: Secret
metadata: {name: ai}
stringData: {openai: sk-invented, google: " g-invented\\n"}
"""
ZOHO = """\
---
apiVersion: v1
kind: Secret
type: Opaque
metadata: {name: zoho}
data: {client-id: MTAwMC5BQkM=, client-secret: c2VjcmV0}
stringData: {refresh-token: 1000.refresh, client-secret: newer}
"""


def faults(text: str) -> list[tuple[str, str]]:
    with pytest.raises(SpecError) as refused:
        parse_bot_file(text, source="bot.yaml")
    return [(fault.path, fault.message) for fault in refused.value.faults]


def test_bot_and_secrets() -> None:
    """As in the API server, stringData wins over data; white space around a value is dropped."""
    file = parse_bot_file(BOT + AI + ZOHO + "---\n", source="bot.yaml")
    assert file.bot.metadata.name == "stores"
    assert file.secrets == {
        "ai": {"openai": "sk-invented", "google": "g-invented"},
        "zoho": {"client-id": "1000.ABC", "client-secret": "newer", "refresh-token": "1000.refresh"},
    }


def test_order_of_the_documents_does_not_matter() -> None:
    turned = AI.removeprefix("---\n") + ZOHO + "---\n" + BOT
    assert parse_bot_file(turned, source="a") == parse_bot_file(BOT + AI + ZOHO, source="b")


def test_what_a_spec_needs() -> None:
    spec = parse_bot_file(BOT + AI + ZOHO, source="bot.yaml").bot.spec
    assert secret_refs(spec) == (
        SecretKey("ai", "openai", "spec.models.primary.apiKeySecretRef"),
        SecretKey("ai", "google", "spec.models.fallbacks[0].apiKeySecretRef"),
        SecretKey("zoho", "client-id", "spec.zoho.credentialsSecretRef"),
        SecretKey("zoho", "client-secret", "spec.zoho.credentialsSecretRef"),
        SecretKey("zoho", "refresh-token", "spec.zoho.credentialsSecretRef"),
    )


def test_numbers_of_a_model() -> None:
    primary, fallback = parse_bot_file(BOT + AI + ZOHO, source="bot.yaml").bot.spec.models.chain
    assert (primary.timeout_s, primary.temperature_value) == (90.0, 0.0)
    assert (fallback.timeout_s, fallback.max_tokens) == (20.0, 512)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [("", "it holds no SupportBot (apiVersion: supportbot.dev/v1alpha1, kind: SupportBot)")]),
        ("a: b: c", [("line 1, column 5", "is not YAML: mapping values are not allowed here")]),
        (
            "spec:\n\tmode: Auto",
            [("line 2, column 1", "is not YAML: found character '\\t' that cannot start any token")],
        ),
        ("spec: {}\nspec: {}", [("line 2, column 1", "is not YAML: the key spec appears twice")]),
        ("spec: {}\n1: x", [("line 2, column 1", "is not YAML: the key 1 is not text")]),
        ('{"kind": }', [("line 1, column 10", "is not JSON: Expecting value")]),
        (
            BOT + AI,
            [
                (
                    "spec.zoho.credentialsSecretRef",
                    (
                        "the file has no Secret zoho: add one (apiVersion: v1, kind: Secret) with "
                        "client-id, client-secret, refresh-token"
                    ),
                )
            ],
        ),
        (
            BOT + AI.replace("google", "gemini") + ZOHO,
            [
                (
                    "spec.models.fallbacks[0].apiKeySecretRef",
                    "the key google of Secret ai is missing: add it under stringData",
                )
            ],
        ),
        (
            BOT + AI.replace("sk-invented", '""') + ZOHO,
            [("spec.models.primary.apiKeySecretRef", "the key openai of Secret ai is empty")],
        ),
        (
            BOT + AI.replace("sk-invented", f"{PLACEHOLDER}_OPENAI") + ZOHO,
            [
                (
                    "spec.models.primary.apiKeySecretRef",
                    "the key openai of Secret ai is still a placeholder: replace it by the real value",
                )
            ],
        ),
        (
            BOT + AI + ZOHO.replace("MTAwMC5BQkM=", "1000.ABC"),
            [
                (
                    "spec.zoho.credentialsSecretRef",
                    "the key client-id of Secret zoho is missing: add it under stringData",
                ),
                ("secret/zoho.data.client-id", "must be base64 of UTF-8 text; under stringData it may stand as it is"),
            ],
        ),
        (
            BOT + AI + ZOHO.replace("newer", "12345"),
            [("secret/zoho.stringData.client-secret", "must be text; it is a number: put it in quotes")],
        ),
        (
            BOT + AI + AI + ZOHO,
            [("secret/ai.metadata.name", "is used before: 'ai' may appear once")],
        ),
        (
            BOT + AI + ZOHO.replace("apiVersion: v1", "apiVersion: v2").replace("type:", "typ:"),
            [
                (
                    "secret/zoho.typ",
                    "is not a field; allowed here: apiVersion, kind, metadata, type, immutable, data, stringData",
                ),
                ("secret/zoho.apiVersion", "must be v1; it is 'v2'"),
            ],
        ),
        (
            BOT + AI + ZOHO + "---\napiVersion: v1\nkind: ConfigMap\n---\n- x\n",
            [
                ("document 4.kind", "must be SupportBot or Secret; it is 'ConfigMap'"),
                ("document 5", "must be a SupportBot or a Secret; it is a list"),
            ],
        ),
        (
            BOT + AI.replace("google", "../google") + ZOHO.replace("name: zoho", "name: /etc/zoho"),
            [
                (
                    "spec.models.fallbacks[0].apiKeySecretRef",
                    "the key google of Secret ai is missing: add it under stringData",
                ),
                (
                    "spec.zoho.credentialsSecretRef",
                    (
                        "the file has no Secret zoho: add one (apiVersion: v1, kind: Secret) with "
                        "client-id, client-secret, refresh-token"
                    ),
                ),
                (
                    "secret/ai.stringData.../google",
                    (
                        "must be a key of letters, digits, hyphens, dots and underscores, such as openai; "
                        "it is '../google'"
                    ),
                ),
                (
                    "secret//etc/zoho.metadata.name",
                    (
                        "must be a Secret's name of lower-case letters, digits, hyphens and dots, such as zoho; "
                        "it is '/etc/zoho'"
                    ),
                ),
            ],
        ),
        (BOT + AI + ZOHO + "---\n" + BOT, [("document 4", "a second SupportBot; a file describes one bot")]),
        (
            BOT + AI + ZOHO.replace("name: zoho", "name: zoho, namespace: other"),
            [("secret/zoho.metadata.namespace", "must be support, the bot's own namespace; it is 'other'")],
        ),
        (
            BOT.replace("kind: SupportBot", "kind: Supportbot").replace("@g.us", "") + AI + ZOHO,
            [
                ("kind", "must be one of SupportBot; it is 'Supportbot'"),
                (
                    "spec.whatsapp.groups[0].jid",
                    "must be text; it is '120363000000000001' (a number: put it in quotes)",
                ),
            ],
        ),
    ],
)
def test_faults(text: str, expected: list[tuple[str, str]]) -> None:
    assert faults(text) == expected


def test_all_faults_are_told_in_one_message() -> None:
    text = BOT.replace("name: stores", "name: 1").replace('"2"', "x") + AI
    with pytest.raises(SpecError) as refused:
        parse_bot_file(text, source="my bot.yaml")
    assert str(refused.value).splitlines()[0] == "my bot.yaml has 3 faults:"
    assert [fault.path for fault in refused.value.faults] == [
        "metadata.name",
        "spec.zoho.departmentID",
        "spec.zoho.credentialsSecretRef",
    ]


def test_no_secret_value_in_messages() -> None:
    text = BOT.replace("{name: ai, key: openai}", "sk-very-secret") + AI.replace("sk-invented", "[sk-very-secret]")
    assert "very-secret" not in json.dumps(faults(text))


def test_load_yaml_and_json(tmp_path: Path) -> None:
    yaml_file, json_file = tmp_path / "spec.yaml", tmp_path / "spec.json"
    yaml_file.write_text(BOT)
    bot = load_bot(yaml_file)
    json_file.write_text(bot.model_dump_json(by_alias=True, exclude_none=True, indent=1))
    assert load_bot(json_file) == bot


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "it cannot be read"),
        (b"\xff\xfe\x00", "it cannot be read"),
        ((BOT + AI).encode(), "it must hold one SupportBot and nothing else; it holds 2 documents"),
        (b"", "it must hold one SupportBot and nothing else; it holds 0 documents"),
    ],
)
def test_load_refuses(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "spec.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SpecError) as refused:
        load_bot(path)
    (fault,) = refused.value.faults
    assert message in fault.message


def test_single_values_are_judged_by_the_same_rules() -> None:
    assert fault_of(scalars.PhoneNumber, "+529980000001") is None
    assert fault_of(scalars.PhoneNumber, "998 000 0001") == (
        "must be a phone number with plus sign and country code, without spaces, such as +529980000001; "
        "it is '998 000 0001'"
    )
    assert fault_of(scalars.Mode, "auto") == "must be one of Auto, Shadow; it is 'auto'"


def test_fault_as_text() -> None:
    assert str(Fault("spec.mode", "is wrong")) == "spec.mode: is wrong"
    assert str(Fault("", "is wrong")) == "is wrong"


def test_default_categories() -> None:
    """Every earlier name that means an incident is kept; every word is folded as the keyword tier folds text."""
    names = [category.name for category in default_categories()]
    assert names == ["technical", "billing", "access", "operations", "general_inquiry", "complaint"]
    words = [word for category in default_categories() for word in category.keywords]
    assert all(word.isascii() and word == word.lower() for word in words)
    assert all(category.description for category in default_categories())


def test_importing_the_spec_is_light() -> None:
    """Every service and command imports it: nothing heavier than pydantic and yaml."""
    code = "import sys, supportbot.spec; print(*{name.partition('.')[0] for name in sys.modules})"
    loaded = set(
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    )
    heavy = {"nats", "fastapi", "structlog", "opentelemetry", "httpx", "typer", "rich", "numpy", "asyncio"}
    assert loaded & heavy == set()

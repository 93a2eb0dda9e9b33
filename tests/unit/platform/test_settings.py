import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from supportbot.auth import APIKey, APIKeys, Right, parse_api_keys, read_api_keys
from supportbot.errors import UserError
from supportbot.settings import Settings, load_settings, read_install_key, read_secret

DIGEST = hashlib.sha256(b"open sesame").hexdigest()


def test_a_service_has_its_documented_ports_by_default(environ: dict[str, str]) -> None:
    ports = {name: load_settings(name, environ) for name in ("whatsapp", "classifier", "ticket")}

    assert {name: (settings.port, settings.metrics_port) for name, settings in ports.items()} == {
        "whatsapp": (3001, 9002),
        "classifier": (8001, 9001),
        "ticket": (8003, 9003),
    }


def test_values_are_read_in_the_forms_that_people_write(environ: dict[str, str]) -> None:
    settings = load_settings(
        "ticket",
        environ
        | {
            "SUPPORTBOT_ZOHO_LOOKUP_DELAYS_S": "0.1, 0.2",
            "SUPPORTBOT_LOG_LEVEL": "WARNING",
            "SUPPORTBOT_PORT": "0",
            "SUPPORTBOT_METRICS_PORT": "",
            "SUPPORTBOT_ZOHO_DESK_URL": "http://127.0.0.1:9/desk",
        },
    )

    assert settings.zoho_lookup_delays_s == (0.1, 0.2)
    assert settings.log_level == "warning"
    assert (settings.port, settings.metrics_port) == (0, 9003)
    assert str(settings.zoho_desk_url) == "http://127.0.0.1:9/desk"


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"SUPPORTBOT_SPEC": None}, "SUPPORTBOT_SPEC: is required"),
        ({"SUPPORTBOT_INSTALL_KEY_FILE": None}, "SUPPORTBOT_INSTALL_KEY_FILE: is required"),
        ({"SUPPORTBOT_SPEC": "/nowhere/bot.yaml"}, "SUPPORTBOT_SPEC: Path does not point to a file"),
        ({"SUPPORTBOT_SECRETS": "/nowhere"}, "SUPPORTBOT_SECRETS: Path does not point to a directory"),
        ({"SUPPORTBOT_NATS_URL": "http://127.0.0.1"}, "SUPPORTBOT_NATS_URL: String should match"),
        ({"SUPPORTBOT_PORT": "70000"}, "SUPPORTBOT_PORT: Input should be less than or equal to 65535"),
        ({"SUPPORTBOT_PORT": "tcp://10.0.0.1:80"}, "SUPPORTBOT_PORT: Input should be a valid integer"),
        ({"SUPPORTBOT_LANES": "0"}, "SUPPORTBOT_LANES: Input should be greater than or equal to 1"),
        ({"SUPPORTBOT_LOG_FORMAT": "xml"}, "SUPPORTBOT_LOG_FORMAT: Input should be 'auto', 'json' or 'console'"),
        ({"SUPPORTBOT_INSTANCE": "a b"}, "SUPPORTBOT_INSTANCE: String should match"),
        ({"SUPPORTBOT_BOT_KEY": "Tiendas.MX"}, "SUPPORTBOT_BOT_KEY: String should match"),
        ({"SUPPORTBOT_NATS_CREDENTIALS_FILE": "/nowhere"}, "SUPPORTBOT_NATS_CREDENTIALS_FILE: Path does not point"),
        ({"SUPPORTBOT_NATS_CA_FILE": "/nowhere"}, "SUPPORTBOT_NATS_CA_FILE: Path does not point"),
        (
            {"SUPPORTBOT_NATS_ULR": "nats://x"},
            "SUPPORTBOT_NATS_ULR: no such setting; did you mean SUPPORTBOT_NATS_URL?",
        ),
    ],
)
def test_a_fault_is_told_with_its_variable(
    environ: dict[str, str], change: dict[str, str | None], complaint: str
) -> None:
    changed = {name: value for name, value in (environ | change).items() if value is not None}

    with pytest.raises(UserError) as caught:
        load_settings("ticket", changed)

    assert f"\n  {complaint}" in str(caught.value)


def test_all_faults_are_told_at_once_and_without_their_values() -> None:
    environ = {
        "SUPPORTBOT_NATS_URL": "nats:canary-password",
        "SUPPORTBOT_LANES": "many",
        "SUPPORTBOT_SECRETS": "/nowhere",
        "SUPPORTBOT_LOG_LEVLE": "info",
    }

    with pytest.raises(UserError) as caught:
        load_settings("ticket", environ)

    told = [line.strip().partition(":")[0] for line in str(caught.value).splitlines()[1:]]
    expected = ["LANES", "LOG_LEVLE", "INSTALL_KEY_FILE", "NATS_URL", "SECRETS", "SPEC"]
    assert sorted(told) == sorted(f"SUPPORTBOT_{name}" for name in expected)
    assert "canary" not in str(caught.value)


def test_what_kubernetes_puts_into_a_pod_is_no_fault(environ: dict[str, str]) -> None:
    links = {"SUPPORTBOT_TICKET_SERVICE_HOST": "10.0.0.1", "SUPPORTBOT_TICKET_PORT_8003_TCP": "tcp://10.0.0.1:8003"}

    assert load_settings("ticket", environ | links).port == 8003


@pytest.mark.parametrize("content", ["", "0b" * 31, "zz" * 32, "0b" * 33])
def test_an_install_key_of_the_wrong_form_stops_the_start(environ: dict[str, str], content: str) -> None:
    Path(environ["SUPPORTBOT_INSTALL_KEY_FILE"]).write_text(content)

    with pytest.raises(UserError, match="does not hold 32 bytes in hex"):
        load_settings("ticket", environ)


def test_the_install_key_is_read_as_bytes(make_settings: Callable[..., Settings]) -> None:
    assert read_install_key(make_settings()) == b"\x0b" * 32


def test_a_secret_is_read_without_the_newline_of_the_editor(make_settings: Callable[..., Settings]) -> None:
    settings = make_settings()
    (settings.secrets / "zoho").mkdir()
    (settings.secrets / "zoho" / "client-id").write_text("1000.INVENTED\n")

    secret = read_secret(settings, "zoho", "client-id")

    assert secret.get_secret_value() == "1000.INVENTED"
    assert "INVENTED" not in repr(secret)


@pytest.mark.parametrize(
    ("name", "key", "complaint"),
    [
        ("zoho", "refresh-token", "no readable key"),
        ("zoho", "empty", "is empty"),
        ("..", "install-key", "letters, digits"),
        ("zoho", "../../install-key", "letters, digits"),
        ("zoho", "binary", "no readable key"),
    ],
)
def test_a_missing_secret_says_where_to_put_it(
    make_settings: Callable[..., Settings], name: str, key: str, complaint: str
) -> None:
    settings = make_settings()
    (settings.secrets / "zoho").mkdir()
    (settings.secrets / "zoho" / "empty").write_text(" \n")
    (settings.secrets / "zoho" / "binary").write_bytes(b"\xff\xfe")

    with pytest.raises(UserError, match=complaint):
        read_secret(settings, name, key)


def test_api_keys_are_read_with_names_comments_and_rights() -> None:
    text = f"# callers\nshop {DIGEST}\n\nshop {'0' * 64}  # the next one\ngrafana {DIGEST} read\n"

    assert parse_api_keys(text, where="keys") == APIKeys(
        (
            APIKey("shop", bytes.fromhex(DIGEST)),
            APIKey("shop", bytes(32)),
            APIKey("grafana", bytes.fromhex(DIGEST), Right.READ),
        )
    )


@pytest.mark.parametrize("line", ["shop", "shop abc", f"shop {DIGEST} admin", f"shop {DIGEST} read more", DIGEST])
def test_a_wrong_line_of_api_keys_is_told_by_its_number(line: str) -> None:
    with pytest.raises(UserError, match="keys: line 2 is not"):
        parse_api_keys(f"shop {DIGEST}\n{line}\n", where="keys")


def test_the_token_of_a_key_is_found_by_its_hash() -> None:
    keys = parse_api_keys(f"old {'0' * 64}\nnew {DIGEST}", where="keys")

    assert keys.match("open sesame") == keys.keys[1]
    assert keys.match("open sesame!") is None
    assert keys.match(DIGEST) is None, "the stored hash is no key"


@pytest.mark.parametrize(
    ("host", "opens"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("10.1.2.3", False)],
)
def test_without_a_key_only_loopback_may_be_served(
    make_settings: Callable[..., Settings], host: str, opens: bool
) -> None:
    settings = make_settings(host=host)

    if opens:
        assert read_api_keys(settings).is_open
    else:
        with pytest.raises(UserError, match="SUPPORTBOT_API_KEYS_FILE names no API key"):
            read_api_keys(settings)


def test_with_a_key_any_address_may_be_served(make_settings: Callable[..., Settings], tmp_path: Path) -> None:
    (tmp_path / "keys").write_text(f"shop {DIGEST}\n")

    assert not read_api_keys(make_settings(host="0.0.0.0", api_keys_file=tmp_path / "keys")).is_open

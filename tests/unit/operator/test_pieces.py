"""Keys, quantities, certificates, configuration, reports: small and pure."""

import json
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from tests.unit.operator.bots import CONFIG

from supportbot.health import Health, State
from supportbot.spec import SpecError
from supportbot_operator.certificates import ca_certificate, fits, issue, needs_renewal
from supportbot_operator.config import load_config
from supportbot_operator.keys import Keys, bot_key, parse_master_key
from supportbot_operator.quantities import is_smaller, parse_quantity
from supportbot_operator.reports import parse_report, say_same

NOW = datetime(2026, 1, 31, 15, 0, tzinfo=UTC)
SEED = bytes(range(32))
NAMES = ("supportbot-nats", "*.supportbot-nats-headless.platform.svc", "10.0.0.7")


def test_derived_keys_differ_by_purpose_and_bot_and_never_change() -> None:
    keys = Keys(bytes(32))
    one = keys.install_key("support", "tiendas")
    assert one == keys.install_key("support", "tiendas") == Keys(bytes(32)).install_key("support", "tiendas")
    others = {keys.install_key("support", "clinics"), keys.install_key("tiendas", "support"), keys.derive("api").hex()}
    assert len({one, *others}) == 4
    assert bytes.fromhex(one)
    assert keys.api_key("support", "tiendas").startswith("sb_")
    assert "00" * 32 not in repr(keys)


@pytest.mark.parametrize("text", ["", "zz" * 32, "00" * 31, "00" * 33])
def test_a_master_key_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"hex|bytes"):
        parse_master_key(text)


def test_bots_of_one_name_in_two_namespaces_have_different_keys() -> None:
    assert bot_key("a", "b-c") != bot_key("a-b", "c")
    assert bot_key("one", "tiendas") != bot_key("two", "tiendas")
    assert len(bot_key("n" * 63, "b" * 40)) <= 49


@pytest.mark.parametrize(
    ("small", "large"),
    [("1Gi", "2Gi"), ("1000Mi", "1Gi"), ("1G", "1Gi"), ("0.5Gi", "1Gi"), ("1e3", "1Ki"), ("999m", "1"), ("5Gi", "1E")],
)
def test_quantities_are_compared_by_what_they_stand_for(small: str, large: str) -> None:
    assert is_smaller(small, large)
    assert not is_smaller(large, small)
    assert not is_smaller(small, small)


@pytest.mark.parametrize("text", ["", "Gi", "1GiB", "-1Gi", "1 Gi", "1e"])
def test_what_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="quantity"):
        parse_quantity(text)


def test_the_authority_is_always_the_same_and_the_server_is_known_by_it(tmp_path: Path) -> None:
    made, again = issue(SEED, NAMES, NOW), issue(SEED, NAMES, NOW)
    assert made.ca == again.ca == ca_certificate(SEED)
    assert made.certificate != again.certificate
    files = {"ca": made.ca, "cert": made.certificate, "key": made.key}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(tmp_path / "cert", tmp_path / "key")
    ssl.create_default_context(cafile=str(tmp_path / "ca"))


def test_a_certificate_is_made_anew_before_its_end_and_for_other_names_or_another_authority() -> None:
    made = issue(SEED, NAMES, NOW)
    assert not needs_renewal(made.certificate, made.ca, NAMES, NOW)
    assert not needs_renewal(made.certificate, made.ca, NAMES[::-1], NOW + timedelta(days=500))
    assert needs_renewal(made.certificate, made.ca, NAMES, NOW + timedelta(days=600))
    assert needs_renewal(made.certificate, made.ca, NAMES[:2], NOW)
    assert needs_renewal(made.certificate, ca_certificate(bytes(32)), NAMES, NOW)
    assert needs_renewal("", made.ca, NAMES, NOW)


def write(folder: Path, text: str) -> Path:
    path = folder / "operator.yaml"
    path.write_text(text)
    return path


def test_a_good_configuration_is_read(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, yaml.safe_dump(CONFIG)))
    assert (config.nats.ports, config.nats.has_tls, config.streams.lanes) == ((4222,), True, 4)


def test_all_faults_of_a_configuration_are_listed_with_their_paths(tmp_path: Path) -> None:
    bad = {
        **CONFIG,
        "nats": {"url": "http://nats"},
        "streams": {"lanes": 0, "replica": 3},
        "watchNamespaces": ["Upper"],
        "demo": {"bot": "demo"},
    }
    del bad["image"]
    with pytest.raises(SpecError) as refused:
        load_config(write(tmp_path, yaml.safe_dump(bad)))
    paths = {fault.path for fault in refused.value.faults}
    assert paths >= {"nats.url", "streams.lanes", "streams.replica", "watchNamespaces[0]", "demo.bot", "image"}


@pytest.mark.parametrize("text", ["{", "[]", "", "a: 1"])
def test_a_file_that_is_no_configuration_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(SpecError):
        load_config(write(tmp_path, text))


def test_own_nats_needs_its_secret(tmp_path: Path) -> None:
    nats = {"url": "nats://nats:4222"}
    with pytest.raises(SpecError, match=r"nats\.authSecret: is required"):
        load_config(write(tmp_path, yaml.safe_dump({**CONFIG, "nats": nats})))
    load_config(write(tmp_path, yaml.safe_dump({**CONFIG, "nats": {**nats, "managed": False}})))


async def test_what_a_service_reports_is_understood() -> None:
    health = Health("ticket", instance="tiendas-ticket-0")
    health.set("zoho", State.DOWN, "no token", "InvalidGrant")
    report = parse_report("ticket.tiendas-ticket-0", json.dumps(health.to_json()).encode(), NOW)
    assert (report.service, report.instance, report.at) == ("ticket", "tiendas-ticket-0", NOW)
    assert (report.checks["zoho"].state, report.checks["zoho"].reason) == (State.DOWN, "InvalidGrant")
    assert say_same(
        report,
        parse_report("ticket.tiendas-ticket-0", json.dumps(health.to_json()).encode(), NOW + timedelta(seconds=10)),
    )
    health.tell("active_model", "openai/m")
    told = parse_report("ticket.tiendas-ticket-0", json.dumps(health.to_json()).encode(), NOW)
    assert told.facts == {"active_model": "openai/m"}
    assert not say_same(report, told)
    with pytest.raises(ValueError, match="no report"):
        parse_report("ticket.x", b"{}", NOW)


def test_a_report_cannot_spoil_the_status() -> None:
    """The key says who speaks; a reason must fit the CRD; a message is for many eyes."""
    check = b'{"zoho": {"state": "down", "reason": "no good!", "message": "%s"}}'
    value, text = b'{"service": "whatsapp", "checks": %s, "facts": {"a": "%s"}}', b"call +529985550101 " + b"x" * 2000
    report = parse_report("ticket.0", value % (check % text, text), NOW)
    assert len(report.facts["a"]) == 160
    assert "+529985550101" not in report.facts["a"]
    assert (report.service, report.checks["zoho"].reason) == ("ticket", "")
    assert len(report.checks["zoho"].message) <= 500
    assert "+529985550101" not in report.checks["zoho"].message


def test_a_certificate_and_its_key_belong_together() -> None:
    made, other = issue(SEED, NAMES, NOW), issue(SEED, NAMES, NOW)
    assert fits(made.certificate, made.key)
    assert not fits(made.certificate, other.key)
    assert not fits(made.certificate, "")

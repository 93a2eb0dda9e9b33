"""Getting in: TLS, wrong and expired credentials, credentials that change, and refusals that somebody must see."""

import asyncio
from pathlib import Path

import pytest
from tests.contract.access.support import (
    SIGNING_KEY,
    SYSTEM,
    SecuredNATS,
    make_credentials,
    run_secured_nats,
    write_certificates,
)
from tests.events import make_message, until

from supportbot.bus import Bus
from supportbot.nats_connection import Access, Connection, open_connection
from supportbot.nats_errors import AccessError, StreamMissingError
from supportbot.nats_server import EmbeddedServer
from supportbot.permissions import Permissions, permissions
from supportbot.topology import Bucket, Stage

pytestmark = pytest.mark.nats


async def refusal(url: str, access: Access) -> AccessError:
    with pytest.raises(AccessError) as caught:
        async with open_connection(url, service="ticket", access=access):
            pass
    return caught.value


async def test_credentials_of_a_signing_key_are_as_good(secured: SecuredNATS) -> None:
    access = secured.write("signed", make_credentials("signed", signer=SIGNING_KEY))
    async with open_connection(secured.url, service="operator", access=access) as connection:
        assert (await connection.nc.jetstream().account_info()).streams >= 0


async def test_what_keeps_a_service_out_is_told_at_once(secured: SecuredNATS) -> None:
    foreign = secured.write("foreign", make_credentials("foreign", signer=SYSTEM))
    expired = secured.write("expired", make_credentials("expired", expires=1_700_000_001))
    nobody = Access(ca=secured.ca)
    missing = Access(credentials=secured.folder / "none.creds", ca=secured.ca)
    async with asyncio.timeout(5):
        users = {"foreign": foreign, "expired": expired, "nobody": nobody, "missing": missing}
        told = {name: await refusal(secured.url, access) for name, access in users.items()}
    assert {error.reason for error in told.values()} == {"CredentialsRefused"}
    assert "foreign.creds" in str(told["foreign"])
    assert "expired at 2023-11-14" in str(told["expired"])
    assert "without credentials" in str(told["nobody"])
    assert "none.creds' is not there" in str(told["missing"])


async def test_a_server_that_is_not_who_it_should_be_is_not_talked_to(secured: SecuredNATS, tmp_path: Path) -> None:
    write_certificates(tmp_path)
    (tmp_path / "empty.crt").write_text("")
    credentials = secured.admin().credentials
    for ca, words in (
        (tmp_path / "ca.crt", "not trusted"),
        (None, "not trusted"),
        (tmp_path / "empty.crt", "holds no"),
    ):
        error = await refusal(secured.url, Access(credentials=credentials, ca=ca))
        assert (error.reason, words in str(error)) == ("CertificateRefused", True), str(error)


async def test_the_name_in_the_certificate_counts(tmp_path: Path) -> None:
    async with run_secured_nats(tmp_path, name="nats.example") as server:
        error = await refusal(server.url.replace("localhost", "127.0.0.1"), server.admin())
    assert error.reason == "CertificateRefused"
    assert "not valid for '127.0.0.1'" in str(error)


async def test_no_word_is_said_in_clear_text_where_tls_is_asked_for(
    nats_server: EmbeddedServer, secured: SecuredNATS
) -> None:
    for scheme, access in (("tls", Access()), ("nats", secured.admin())):
        error = await refusal(f"{scheme}://127.0.0.1:{nats_server.port}", access)
        assert (error.reason, "offers no TLS" in str(error)) == ("CertificateRefused", True)


async def test_a_refused_publish_is_seen_and_done_once_the_credentials_allow_it(
    secured: SecuredNATS, operator: Connection, bots: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("supportbot.nats_connection.WATCH_FILES_S", 0.05)
    monkeypatch.setattr("supportbot.publisher.ANSWER_TIMEOUT_S", 0.3)
    bot = bots[0]
    rights = permissions(bot, Stage.WHATSAPP)
    lacking = Permissions(
        publish=tuple(subject for subject in rights.publish if not subject.startswith("in.")),
        subscribe=rights.subscribe,
    )
    access = secured.write("lacking", make_credentials("lacking", lacking))
    async with Bus.connect(secured.url, bot=bot, service="whatsapp", access=access) as bus:
        publishing = asyncio.create_task(bus.publish(make_message(1)))
        await until(lambda: bool(bus.connection.complaint))
        subject = f"in.{bot}.{make_message(1).group_ref}"
        assert bus.connection.complaint == (
            f"NATS refuses whatsapp the publish to {subject!r}: its credentials lack the permission"
        )
        assert not publishing.done()
        secured.write("lacking", make_credentials("lacking", rights))
        assert await asyncio.wait_for(publishing, 15)
        assert bus.connection.complaint == ""


async def test_who_is_shut_out_later_says_why_and_comes_back(
    secured: SecuredNATS, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("supportbot.nats_connection.WATCH_FILES_S", 0.05)
    access = secured.write("rotated", make_credentials("rotated"))
    async with open_connection(secured.url, service="operator", access=access) as connection:
        secured.write("rotated", make_credentials("rotated", signer=SYSTEM))
        await until(lambda: connection.shut_out is not None)
        assert connection.shut_out is not None
        assert connection.shut_out.reason == "CredentialsRefused"
        assert not connection.nc.is_connected
        secured.write("rotated", make_credentials("rotated"))
        await until(lambda: connection.nc.is_connected)
        assert connection.shut_out is None


async def test_a_bucket_that_is_not_there_is_told_apart_from_a_broker_that_is_away(
    secured: SecuredNATS, operator: Connection
) -> None:
    async with Bus.share(operator, bot="t-unborn") as bus:
        with pytest.raises(StreamMissingError):
            await bus.bucket(Bucket.STATE)

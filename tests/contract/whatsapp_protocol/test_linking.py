"""How a client is linked to a phone, stays linked, and is unlinked."""

from pathlib import Path

import pytest
from tests.contract.whatsapp_protocol.conftest import Offline, Rig, StartLibrary
from tests.emulators.whatsapp import Refusal, WhatsAppEmulator
from tests.emulators.whatsapp.pairing import PairingError

pytestmark = pytest.mark.xdist_group("whatsapp")


async def test_a_phone_scans_the_qr_code(
    whatsapp: WhatsAppEmulator, start_library: StartLibrary, tmp_path: Path
) -> None:
    library = await start_library(whatsapp, tmp_path / "session.db")

    await whatsapp.scan((await library.event("QR")).body["payload"])

    assert (await library.event("PairStatus")).body["Status"] == "SUCCESS"
    await library.event("Connected")
    assert [seen.outcome for seen in whatsapp.seen.logins] == ["registration", "success"]
    assert whatsapp.account.device is not None
    assert len(whatsapp.account.device.one_time) > 50
    assert whatsapp.seen.faults == []


async def test_a_code_is_typed_into_the_phone(
    whatsapp: WhatsAppEmulator, start_library: StartLibrary, tmp_path: Path
) -> None:
    library = await start_library(whatsapp, tmp_path / "session.db")
    await library.event("QR")

    await whatsapp.type_code(await library.call("pair_phone", phone=whatsapp.account.owner.phone_user))

    assert (await library.event("PairStatus")).body["Status"] == "SUCCESS"
    await library.event("Connected")
    assert whatsapp.seen.faults == []


async def test_another_code_links_nothing(
    whatsapp: WhatsAppEmulator, start_library: StartLibrary, tmp_path: Path
) -> None:
    library = await start_library(whatsapp, tmp_path / "session.db")
    await library.event("QR")
    await library.call("pair_phone", phone=whatsapp.account.owner.phone_user)

    await whatsapp.type_code("AAAA-AAAA")

    await whatsapp.until(lambda: bool(whatsapp.seen.faults))
    assert whatsapp.account.device is None
    with pytest.raises(PairingError, match="no client that waits"):
        await whatsapp.scan("https://wa.me/settings/linked_devices#2@other,AAAA,AAAA,AAAA,6")


async def test_a_passkey_is_demanded(whatsapp: WhatsAppEmulator, start_library: StartLibrary, tmp_path: Path) -> None:
    library = await start_library(whatsapp, tmp_path / "session.db")
    await library.event("QR")

    await whatsapp.demand_passkey()

    assert (await library.event("LoginStatus")).body == {"status": "passkey-request"}


async def test_a_client_that_is_too_old_is_not_linked(
    whatsapp: WhatsAppEmulator, start_library: StartLibrary, tmp_path: Path
) -> None:
    whatsapp.faults.refusals = [Refusal(reason=405)]

    library = await start_library(whatsapp, tmp_path / "session.db")

    assert (await library.event("LoginStatus")).body == {"status": "err-client-outdated"}
    assert library.of("QR") == []


async def test_the_session_survives_a_restart(rig: Rig, start_library: StartLibrary) -> None:
    await rig.library.kill()

    library = await start_library(rig.whatsapp, rig.session)

    await library.event("Connected")
    assert library.of("QR") == []
    assert [seen.outcome for seen in rig.whatsapp.seen.logins] == ["success", "success"]


async def test_the_owner_removes_the_device(rig: Rig) -> None:
    await rig.whatsapp.log_out()

    assert (await rig.library.event("LoggedOut")).body.get("OnConnect", False) is False


async def test_the_owner_has_removed_the_device_meanwhile(offline: Offline, start_library: StartLibrary) -> None:
    offline.whatsapp.unlink()

    library = await start_library(offline.whatsapp, offline.session)

    assert (await library.event("LoggedOut")).body["OnConnect"] is True
    assert [seen.outcome for seen in offline.whatsapp.seen.logins] == ["401"]


async def test_the_client_unlinks_itself_and_is_linked_anew(
    rig: Rig, start_library: StartLibrary, tmp_path: Path
) -> None:
    await rig.library.call("log_out")
    assert rig.whatsapp.account.device is None
    await rig.library.kill()

    library = await start_library(rig.whatsapp, rig.session)
    await rig.whatsapp.scan((await library.event("QR")).body["payload"])

    await library.event("Connected")
    assert rig.whatsapp.account.device_jid.device == 8

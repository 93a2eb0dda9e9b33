"""Files of members are downloaded, or are not to be had; files of the client are uploaded."""

import base64
from typing import Any

import pytest
from tests.contract.whatsapp_protocol.conftest import Rig
from tests.contract.whatsapp_protocol.library_process import LibraryError
from tests.emulators.whatsapp.contents import Attachment
from tests.emulators.whatsapp.media import MediaFault

pytestmark = pytest.mark.xdist_group("whatsapp")

PICTURE = bytes(range(256)) * 40


async def received(rig: Rig, **attachment: Any) -> dict[str, Any]:
    await rig.whatsapp.post(rig.group, rig.ana, Attachment(data=PICTURE, **attachment))
    await rig.library.until(lambda: bool(rig.library.messages))
    message: dict[str, Any] = rig.library.messages[0].body["Message"]
    return message


@pytest.mark.parametrize("media", ["image", "video", "voice", "document", "sticker"])
async def test_the_bytes_of_a_file(rig: Rig, media: str) -> None:
    data = await rig.library.call("download", message=await received(rig, media=media))

    assert base64.b64decode(data) == PICTURE
    assert len(rig.whatsapp.media.downloads) == 1


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (MediaFault(status=404), "404"),
        (MediaFault(status=410), "410"),
        (MediaFault(is_corrupted=True), "hash of media ciphertext doesn't match"),
        (MediaFault(is_truncated=True), "unexpected EOF"),
    ],
    ids=["404", "410", "corrupted", "truncated"],
)
async def test_a_file_that_cannot_be_had(rig: Rig, fault: MediaFault, error: str) -> None:
    rig.whatsapp.media.default_fault = fault

    with pytest.raises(LibraryError, match=error):
        await rig.library.call("download", message=await received(rig))


async def test_a_file_that_takes_its_time(rig: Rig) -> None:
    rig.whatsapp.media.default_fault = MediaFault(delay_s=0.5)

    data = await rig.library.call("download", message=await received(rig))

    assert base64.b64decode(data) == PICTURE


async def test_a_file_that_can_be_had_the_second_time(rig: Rig) -> None:
    message = await received(rig)
    path = message["imageMessage"]["directPath"]
    rig.whatsapp.media.set_fault(path, MediaFault(is_truncated=True, times=1))
    with pytest.raises(LibraryError):
        await rig.library.call("download", message=message)

    assert base64.b64decode(await rig.library.call("download", message=message)) == PICTURE


async def test_an_upload_is_what_a_phone_can_open(rig: Rig) -> None:
    uploaded = await rig.library.call("upload", data=base64.b64encode(PICTURE).decode())

    path, key = uploaded["DirectPath"], base64.b64decode(uploaded["MediaKey"])
    assert rig.whatsapp.seen.uploads == [path]
    assert rig.whatsapp.media.open(path, key, "image") == PICTURE

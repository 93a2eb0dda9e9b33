"""Every kind of message, as the library reports it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from tests.contract.whatsapp_protocol.conftest import Rig
from tests.emulators.whatsapp import contents
from tests.emulators.whatsapp.contents import Content, Reference

pytestmark = pytest.mark.xdist_group("whatsapp")

EARLIER = Reference(id="3EB0EARLIER", sender="184400000099999@lid", text="la 909 no cobra")


@dataclass(frozen=True)
class Kind:
    content: Content
    field: str
    shows: Callable[[dict[str, Any]], Any]
    shown: Any
    flag: str = ""


KINDS = {
    "text": Kind(contents.Text(text="hola"), "conversation", lambda text: text, "hola"),
    "quote": Kind(
        contents.Text(text="esta", quoted=EARLIER),
        "extendedTextMessage",
        lambda body: [body["contextInfo"][name] for name in ("stanzaID", "participant", "quotedMessage")],
        [EARLIER.id, EARLIER.sender, {"conversation": EARLIER.text}],
    ),
    "mention": Kind(
        contents.Text(text="@184400000099999 ?", mentions=(EARLIER.sender,)),
        "extendedTextMessage",
        lambda body: body["contextInfo"]["mentionedJID"],
        [EARLIER.sender],
    ),
    "forwarded": Kind(
        contents.Text(text="miren", forwarded=True),
        "extendedTextMessage",
        lambda body: body["contextInfo"]["isForwarded"],
        True,
    ),
    "link": Kind(
        contents.Text(text="ver https://example.com", link="https://example.com"),
        "extendedTextMessage",
        lambda body: body["matchedText"],
        "https://example.com",
    ),
    "ephemeral": Kind(
        contents.Text(text="secreto", ephemeral_s=86400),
        "extendedTextMessage",
        lambda body: body["contextInfo"]["expiration"],
        86400,
        "IsEphemeral",
    ),
    "image": Kind(
        contents.Attachment(data=b"\xff\xd8", caption="pantalla"),
        "imageMessage",
        lambda body: (body["caption"], body["mimetype"], body["fileLength"]),
        ("pantalla", "image/jpeg", "2"),
    ),
    "view once": Kind(
        contents.Attachment(data=b"\xff\xd8", view_once=True),
        "imageMessage",
        lambda body: body["viewOnce"],
        True,
        "IsViewOnceV2",
    ),
    "album's image": Kind(
        contents.Attachment(data=b"\xff\xd8", album=EARLIER), "imageMessage", lambda body: body["fileLength"], "2"
    ),
    "video": Kind(
        contents.Attachment(data=b"mp4", media="video", mime_type="video/mp4"),
        "videoMessage",
        lambda body: body["mimetype"],
        "video/mp4",
    ),
    "round video": Kind(
        contents.Attachment(data=b"mp4", media="ptv", mime_type="video/mp4"),
        "ptvMessage",
        lambda body: body["fileLength"],
        "3",
    ),
    "audio": Kind(
        contents.Attachment(data=b"ogg", media="audio", mime_type="audio/ogg"),
        "audioMessage",
        lambda body: body["PTT"],
        False,
    ),
    "voice note": Kind(
        contents.Attachment(data=b"ogg", media="voice", mime_type="audio/ogg; codecs=opus"),
        "audioMessage",
        lambda body: body["PTT"],
        True,
    ),
    "document": Kind(
        contents.Attachment(data=b"%PDF", media="document", mime_type="application/pdf", filename="corte.pdf"),
        "documentMessage",
        lambda body: body["fileName"],
        "corte.pdf",
    ),
    "document with a caption": Kind(
        contents.Attachment(data=b"%PDF", media="document", filename="corte.pdf", caption="el corte"),
        "documentMessage",
        lambda body: body["caption"],
        "el corte",
        "IsDocumentWithCaption",
    ),
    "sticker": Kind(
        contents.Attachment(data=b"RIFF", media="sticker", mime_type="image/webp"),
        "stickerMessage",
        lambda body: body["mimetype"],
        "image/webp",
    ),
    "album": Kind(contents.Album(images=2), "albumMessage", lambda body: body["expectedImageCount"], 2),
    "location": Kind(
        contents.Location(latitude=21.16, longitude=-86.85, name="Tienda 909"),
        "locationMessage",
        lambda body: (body["degreesLatitude"], body["degreesLongitude"], body["name"]),
        (21.16, -86.85, "Tienda 909"),
    ),
    "contact": Kind(
        contents.ContactCard(name="Nora", vcard="BEGIN:VCARD\nFN:Nora\nEND:VCARD"),
        "contactMessage",
        lambda body: body["displayName"],
        "Nora",
    ),
    "poll": Kind(
        contents.Poll(question="¿a qué hora?", options=("8", "9")),
        "pollCreationMessageV3",
        lambda body: (body["name"], [option["optionName"] for option in body["options"]]),
        ("¿a qué hora?", ["8", "9"]),
    ),
    "reaction": Kind(
        contents.Reaction(target=EARLIER, emoji="👍"),
        "reactionMessage",
        lambda body: (body["text"], body["key"]["ID"], body["key"]["participant"]),
        ("👍", EARLIER.id, EARLIER.sender),
    ),
    "edit": Kind(
        contents.Edit(target=EARLIER, text="la 910 no cobra"),
        "protocolMessage",
        lambda body: (body["type"], body["key"]["ID"], body["editedMessage"]["conversation"]),
        ("MESSAGE_EDIT", EARLIER.id, "la 910 no cobra"),
        "IsEdit",
    ),
    "deletion by an admin": Kind(
        contents.Deletion(target=EARLIER),
        "protocolMessage",
        lambda body: (body["type"], body["key"]["ID"], body["key"]["participant"]),
        ("REVOKE", EARLIER.id, EARLIER.sender),
    ),
    "disappearing messages": Kind(
        contents.DisappearingMessages(seconds=604800),
        "protocolMessage",
        lambda body: (body["type"], body["ephemeralExpiration"]),
        ("EPHEMERAL_SETTING", 604800),
    ),
    "raw": Kind(contents.Raw(protobuf=b"\x0a\x04hola"), "conversation", lambda text: text, "hola"),
}


async def test_every_kind(rig: Rig) -> None:
    """All over one connection, for time's sake; each is looked at."""
    ids = [await rig.whatsapp.post(rig.group, rig.ana, kind.content) for kind in KINDS.values()]
    await rig.library.until(lambda: len(rig.library.messages) == len(KINDS))

    assert [event.id for event in rig.library.messages] == ids
    shown = {
        name: kind.shows(event.body["Message"][kind.field])
        for (name, kind), event in zip(KINDS.items(), rig.library.messages, strict=True)
    }
    assert shown == {name: kind.shown for name, kind in KINDS.items()}
    edits = {name: event.body["Info"].get("Edit") for name, event in zip(KINDS, rig.library.messages, strict=True)}
    assert {name: edit for name, edit in edits.items() if edit} == {"edit": "1", "deletion by an admin": "8"}
    flagged = [
        name
        for name, event in zip(KINDS, rig.library.messages, strict=True)
        if event.body.get(KINDS[name].flag) is True
    ]
    assert flagged == [name for name, kind in KINDS.items() if kind.flag]
    await rig.whatsapp.until(lambda: rig.whatsapp.waiting() == 0)

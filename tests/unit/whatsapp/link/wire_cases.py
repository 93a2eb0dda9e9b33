"""Builds events as the library delivers them, from its own protobufs, and prints what becomes of them, as JSON.

Run by test_normalise in a process of its own: importing the library configures logging and changes sys.path.
`python wire_cases.py cases` prints `{name: raw event or null}`, `fields` prints `{field of Message: what it is}`.
"""

import json
import sys
from collections.abc import Iterator
from typing import Any

from neonize.proto import Neonize_pb2 as lib
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import ContextInfo, FutureProofMessage, Message, ProtocolMessage

from supportbot.whatsapp.gateway import RawEvent
from supportbot.whatsapp.neonize import link_events as codes
from supportbot.whatsapp.neonize.history import read_history
from supportbot.whatsapp.neonize.identity import Directory
from supportbot.whatsapp.neonize.library import parse_event
from supportbot.whatsapp.neonize.normalise import (
    normalise_group_change,
    normalise_message,
    normalise_undecryptable,
)

CHAT = "120363000000000001"
ANA_LID, ANA_PHONE = "77000000001", "529980000001"
BOT_LID, BOT_PHONE = "77000000099", "529980000099"
BRUNO_LID, BRUNO_PHONE = "77000000002", "529980000002"
AT_MS = 1_772_463_600_123
LIDS = {f"{BRUNO_PHONE}@s.whatsapp.net": f"{BRUNO_LID}@lid", f"{BOT_PHONE}@s.whatsapp.net": f"{BOT_LID}@lid"}
PHONES = {lid: phone for phone, lid in LIDS.items()}
DIRECTORY = Directory(lid_of=LIDS.get, phone_of=PHONES.get)
MEDIA = {
    "mimetype": "image/jpeg",
    "fileLength": 1234,
    "directPath": "/v/t62/invented",
    "mediaKey": b"k" * 32,
    "fileSHA256": b"s" * 32,
    "fileEncSHA256": b"e" * 32,
}


def jid(user: str, server: str, device: int = 0) -> Any:
    return lib.JID(User=user, RawAgent=0, Device=device, Integrator=0, Server=server, IsEmpty=not user)


def info(message_id: str = "3EB0A1", **changes: Any) -> Any:
    nobody = jid("", "")
    source = {
        "Chat": jid(CHAT, "g.us"),
        "Sender": jid(ANA_LID, "lid", 7),
        "IsFromMe": False,
        "IsGroup": True,
        "AddressingMode": lib.MessageSource.DESCRIPTOR.fields_by_name["AddressingMode"]
        .enum_type.values_by_name["LID"]
        .number,
        "SenderAlt": jid(ANA_PHONE, "s.whatsapp.net", 7),
        "RecipientAlt": nobody,
        "BroadcastListOwner": nobody,
        **changes,
    }
    return lib.MessageInfo(
        MessageSource=lib.MessageSource(**source),
        ID=message_id,
        ServerID=0,
        Type="text",
        Pushname="Ana",
        Timestamp=AT_MS,
        Category="",
        Multicast=False,
        MediaType="",
        Edit="",
    )


FLAGS = (
    "IsEphemeral",
    "IsViewOnce",
    "IsViewOnceV2",
    "IsViewOnceV2Extension",
    "IsDocumentWithCaption",
    "IsLottieSticker",
    "IsEdit",
)


def event(message: Any, *, flags: tuple[str, ...] = (), about: Any = None) -> RawEvent | None:
    """What becomes of a message event, by the bytes that the callback gets."""
    whole = lib.Message(
        Info=about or info(),
        Message=message,
        UnavailableRequestID="",
        RetryCount=0,
        **{name: name in flags for name in FLAGS},
    )
    return normalise_message(parse_event(codes.MESSAGE, whole.SerializeToString()), DIRECTORY)


def text(words: str = "la 909 no imprime", **context: Any) -> Any:
    return Message(extendedTextMessage={"text": words, "contextInfo": ContextInfo(**context)})


def change(kind: int, target: str, **fields: Any) -> Any:
    key = {"remoteJID": f"{CHAT}@g.us", "fromMe": False, "ID": target, **fields.pop("key", {})}
    return Message(protocolMessage=ProtocolMessage(type=kind, key=key, **fields))


def history() -> Any:
    rows = [
        {
            "key": {"ID": "H2", "remoteJID": f"{CHAT}@g.us"},
            "participant": f"{ANA_PHONE}@s.whatsapp.net",
            "messageTimestamp": 200,
            "pushName": "Ana",
            "message": {"ephemeralMessage": {"message": {"conversation": "segundo"}}},
        },
        {
            "key": {"ID": "H1", "remoteJID": f"{CHAT}@g.us", "participant": f"{BRUNO_LID}@lid"},
            "messageTimestamp": 100,
            "message": {"conversation": "primero"},
        },
        {"key": {"ID": "H3", "fromMe": True}, "messageTimestamp": 300, "message": {"conversation": "del bot"}},
        {"key": {"ID": "H4", "participant": f"{BRUNO_LID}@lid"}, "messageTimestamp": 400},
        {
            "key": {"ID": "H5", "participant": f"{BRUNO_LID}@lid"},
            "messageTimestamp": 500,
            "message": {"viewOnceMessageV2": {"message": {"imageMessage": {"caption": "secreto", **MEDIA}}}},
        },
    ]
    data = {
        "syncType": 0,
        "conversations": [
            {"ID": f"{CHAT}@g.us", "messages": [{"message": row} for row in rows]},
            {"ID": "120363000000000009@g.us", "messages": [{"message": rows[0]}]},
        ],
        "phoneNumberToLidMappings": [{"pnJID": f"{ANA_PHONE}@s.whatsapp.net", "lidJID": f"{ANA_LID}@lid"}],
    }
    return lib.HistorySync.FromString(lib.HistorySync(Data=data).SerializeToString()).Data


def group_change(**fields: Any) -> RawEvent | None:
    whole = lib.GroupInfoEvent(
        JID=jid(CHAT, "g.us"),
        Notify="",
        Sender=jid(BRUNO_LID, "lid"),
        Timestamp=1_772_463_600,
        PrevParticipantsVersionID="",
        ParticipantVersionID="",
        JoinReason="",
        **fields,
    )
    return normalise_group_change(lib.GroupInfoEvent.FromString(whole.SerializeToString()), DIRECTORY)


def cases() -> Iterator[tuple[str, RawEvent | None]]:
    yield "text", event(Message(conversation="la 909 no imprime"))
    yield "extended text", event(text())
    yield "text with a quote of a phone", event(text(stanzaID="3EB0Q", participant=f"{BRUNO_PHONE}:3@s.whatsapp.net"))
    yield "text with a quote of a LID", event(text(stanzaID="3EB0Q", participant=f"{BRUNO_LID}@lid"))
    yield (
        "mentions of the bot and of somebody unknown",
        event(text(mentionedJID=[f"{BOT_LID}@lid", "77000000055@lid", f"{BRUNO_PHONE}@s.whatsapp.net", ""])),
    )
    yield "forwarded", event(text(isForwarded=True, forwardingScore=2))
    yield "ephemeral", event(text(expiration=86400), flags=("IsEphemeral",))
    yield "without the phone", event(Message(conversation="hola"), about=info(SenderAlt=jid("", "")))
    yield (
        "phone from the directory",
        event(Message(conversation="hola"), about=info(Sender=jid(BRUNO_LID, "lid"), SenderAlt=jid("", ""))),
    )
    yield (
        "in a group that names phones",
        event(
            text(stanzaID="3EB0Q", participant=f"{BRUNO_LID}@lid"),
            about=info(Sender=jid(ANA_PHONE, "s.whatsapp.net"), SenderAlt=jid(ANA_LID, "lid")),
        ),
    )
    yield "the account's own, from the phone", event(Message(conversation="hola"), about=info(IsFromMe=True))
    yield "image", event(Message(imageMessage={"caption": "la pantalla", **MEDIA}))
    yield "image without a caption", event(Message(imageMessage=MEDIA))
    yield "video", event(Message(videoMessage={"caption": "miren", **MEDIA, "mimetype": "video/mp4"}))
    yield "video note", event(Message(ptvMessage={**MEDIA, "mimetype": "video/mp4"}))
    yield "voice note", event(Message(audioMessage={**MEDIA, "mimetype": "audio/ogg; codecs=opus", "PTT": True}))
    yield (
        "document with a caption",
        event(
            Message(
                documentMessage={
                    "caption": "el reporte",
                    "fileName": "../a/reporte.pdf",
                    **MEDIA,
                    "mimetype": "application/pdf",
                }
            ),
            flags=("IsDocumentWithCaption",),
        ),
    )
    yield "document with a title only", event(Message(documentMessage={"title": "reporte", **MEDIA}))
    yield "sticker", event(Message(stickerMessage={**MEDIA, "mimetype": "image/webp"}))
    yield "album", event(Message(albumMessage={"expectedImageCount": 2}))
    yield "child of an album", event(Message(associatedChildMessage={"message": {"imageMessage": MEDIA}}))
    yield "view once, unwrapped", event(Message(imageMessage={"caption": "secreto", **MEDIA}), flags=("IsViewOnceV2",))
    yield "view once, marked inside", event(Message(audioMessage={**MEDIA, "viewOnce": True}))
    yield (
        "location",
        event(
            Message(
                locationMessage={"degreesLatitude": 21.161908, "degreesLongitude": -86.851528, "name": "Tienda 909"}
            )
        ),
    )
    yield (
        "live location",
        event(Message(liveLocationMessage={"degreesLatitude": 21.1, "degreesLongitude": -86.8, "caption": "voy"})),
    )
    vcard = "BEGIN:VCARD\nVERSION:3.0\nFN:Nora\nitem1.TEL;waid=529980000003:+52 998 000 0003\nEND:VCARD"
    yield "contact", event(Message(contactMessage={"displayName": "Nora", "vcard": vcard}))
    yield (
        "contacts",
        event(
            Message(
                contactsArrayMessage={"contacts": [{"displayName": "Nora", "vcard": vcard}, {"displayName": "Otto"}]}
            )
        ),
    )
    yield (
        "poll",
        event(
            Message(
                pollCreationMessageV3={"name": "¿Cuándo?", "options": [{"optionName": "hoy"}, {"optionName": "mañana"}]}
            )
        ),
    )
    yield (
        "wrapped poll",
        event(Message(pollCreationMessageV4={"message": {"pollCreationMessageV3": {"name": "¿Cuándo?"}}})),
    )
    yield "vote", event(Message(pollUpdateMessage={}))
    yield (
        "reaction",
        event(
            Message(
                reactionMessage={"key": {"ID": "3EB0T", "participant": f"{BRUNO_PHONE}@s.whatsapp.net"}, "text": "👍"}
            )
        ),
    )
    yield (
        "reaction to one's own",
        event(Message(reactionMessage={"key": {"ID": "3EB0T", "fromMe": True}, "text": "👍"})),
    )
    yield (
        "reaction taken back",
        event(Message(reactionMessage={"key": {"ID": "3EB0T", "participant": f"{BRUNO_LID}@lid"}, "text": ""})),
    )
    yield "edit", event(change(14, "3EB0T", editedMessage={"conversation": "la 910"}, timestampMS=5), flags=("IsEdit",))
    yield (
        "edit under the id of what it changes",
        event(
            change(14, "3EB0A1", editedMessage={"extendedTextMessage": {"text": "la 910"}}, timestampMS=5),
            flags=("IsEdit",),
        ),
    )
    yield (
        "edit of a caption, still wrapped",
        event(
            Message(
                editedMessage=FutureProofMessage(
                    message=change(
                        14, "3EB0T", editedMessage={"imageMessage": {"caption": "la 910", **MEDIA}}, timestampMS=5
                    )
                )
            )
        ),
    )
    yield "deletion", event(change(0, "3EB0T"))
    yield "deletion by an admin", event(change(0, "3EB0T", key={"participant": f"{BRUNO_LID}:2@lid"}))
    yield "button", event(Message(buttonsResponseMessage={"selectedDisplayText": "Sí"}))
    yield "list", event(Message(listResponseMessage={"singleSelectReply": {"selectedRowID": "2"}}))
    yield "event", event(Message(eventMessage={"name": "Inventario"}))
    yield "encrypted reaction", event(Message(encReactionMessage={}))
    yield "unknown", event(Message(sendPaymentMessage={}))
    yield (
        "keys only",
        event(Message(senderKeyDistributionMessage={"groupID": CHAT}, messageContextInfo={"messageSecret": b"x"})),
    )
    yield "text with keys", event(Message(senderKeyDistributionMessage={"groupID": CHAT}, conversation="hola"))
    yield "setting", event(change(3, "x"))
    yield "nothing", event(Message())
    deep = Message(conversation="hondo")
    for _ in range(50):
        deep = Message(ephemeralMessage={"message": deep})
    yield "wrapped without end", event(deep)
    shallow = Message(conversation="poco hondo")
    for _ in range(20):
        shallow = Message(ephemeralMessage={"message": shallow})
    yield "wrapped too often", event(shallow)
    undecryptable = lib.UndecryptableMessage(
        Info=info(),
        IsUnavailable=False,
        DecryptFailMode=lib.UndecryptableMessage.DESCRIPTOR.fields_by_name["DecryptFailMode"]
        .enum_type.values[0]
        .number,
    )
    yield (
        "undecryptable",
        normalise_undecryptable(lib.UndecryptableMessage.FromString(undecryptable.SerializeToString()), DIRECTORY),
    )
    yield "group renamed", group_change(Name={"Name": "Tiendas", "NameSetAt": 1, "NameSetBy": jid(BRUNO_LID, "lid")})
    yield "group joined", group_change(Join=[jid(ANA_LID, "lid")])
    yield "group left", group_change(Leave=[jid(ANA_LID, "lid")])
    yield "group setting", group_change(NewInviteLink="x")
    for raws in read_history(history(), groups=frozenset({f"{CHAT}@g.us"}), directory=Directory()).values():
        for raw in raws:
            yield f"history {raw.key.message_id}", raw


def fields() -> Iterator[tuple[str, str | None]]:
    """What each field of the schema becomes, when nothing is set inside of it."""
    for field in Message.DESCRIPTOR.fields:
        message = Message()
        if field.message_type is None:
            setattr(message, field.name, "x")
        else:
            getattr(message, field.name).SetInParent()
        raw = event(message)
        yield (
            field.name,
            None
            if raw is None
            else "/".join(part for part in (raw.kind.value, raw.media and raw.media.kind, raw.note) if part),
        )


def main(what: str) -> None:
    if what == "cases":
        found: dict[str, Any] = {
            name: None if raw is None else json.loads(raw.model_dump_json(exclude_defaults=True))
            for name, raw in cases()
        }
    else:
        found = dict(fields())
    json.dump(found, sys.stdout, indent=1, ensure_ascii=False)


if __name__ == "__main__":
    main(sys.argv[1])

"""From the client's `<message>` to what its readers see: the server plays all of their phones."""

from .observations import SentMessage
from .people import Directory
from .protocol.binary_xml import GROUP, Node
from .protocol.protobuf import Values, decode
from .protocol.signal import UndecryptableError, decrypt_group, unpad
from .schemas import MESSAGE

_WRAPPERS = ("ephemeralMessage", "viewOnceMessage", "viewOnceMessageV2", "documentWithCaptionMessage", "editedMessage")
_SILENT = ("messageContextInfo", "senderKeyDistributionMessage")


def read(stanza: Node, people: Directory) -> SentMessage:
    """Decrypt a message as its first known recipient and say what is in it.

    Raises:
        UndecryptableError: Nobody can read it.
    """
    raw = _decrypt(stanza, people)
    outer = decode(MESSAGE, raw)
    message = _unwrap(outer)
    kind = next((name for name in message if name not in _SILENT), "")
    context = outer.get("messageContextInfo") or message.get("messageContextInfo") or {}
    return SentMessage(
        id=stanza.text("id"),
        chat=stanza.text("to"),
        kind=kind,
        edit=stanza.text("edit"),
        recipients=tuple(str(jid) for jid in _recipients(stanza)),
        has_bot_tag=stanza.child("bot") is not None,
        secret=context.get("messageSecret", b""),
        raw=raw,
        **_told(kind, message.get(kind)),
    )


def _told(kind: str, body: str | Values | None) -> Values:
    if not isinstance(body, dict):
        return {"text": body or ""}
    context = body.get("contextInfo", {})
    target = body.get("key", {})
    text = body.get("text") or body.get("caption") or body.get("name") or ""
    if "editedMessage" in body:
        edited = body["editedMessage"]
        text = edited.get("conversation") or edited.get("extendedTextMessage", {}).get("text", "")
    return {
        "text": text,
        "quoted_id": context.get("stanzaID"),
        "quoted_participant": context.get("participant"),
        "mentions": tuple(context.get("mentionedJID", ())),
        "target_id": target.get("ID"),
        "target_participant": target.get("participant"),
    }


def _unwrap(message: Values) -> Values:
    for wrapper in _WRAPPERS:
        if wrapper in message:
            return _unwrap(message[wrapper]["message"])
    sent = message.get("deviceSentMessage")
    return _unwrap(sent["message"]) if sent else message


def _recipients(stanza: Node) -> list[object]:
    participants = stanza.child("participants")
    return [to.attributes["jid"] for to in participants.all("to")] if participants else []


def _decrypt(stanza: Node, people: Directory) -> bytes:
    direct = _for_one(stanza, people)
    if stanza.jid("to").server != GROUP:
        return direct
    distribution = decode(MESSAGE, direct).get("senderKeyDistributionMessage")
    sealed = stanza.child("enc")
    if distribution is None or sealed is None:
        raise UndecryptableError("a group message without its sender key")
    return unpad(decrypt_group(distribution["axolotlSenderKeyDistributionMessage"], sealed.data))


def _for_one(stanza: Node, people: Directory) -> bytes:
    participants = stanza.child("participants")
    for to in participants.all("to") if participants else [stanza]:
        person = people.find(to.jid("jid") if to is not stanza else stanza.jid("to"))
        sealed = to.child("enc")
        if person is not None and sealed is not None and sealed.text("type") == "pkmsg":
            return unpad(person.keys().decrypt(sealed.data))
    raise UndecryptableError(f"message {stanza.text('id')} is for nobody that is known: {_recipients(stanza)}")

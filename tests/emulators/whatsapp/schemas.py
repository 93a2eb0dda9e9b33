"""The protocol buffers of WhatsApp that the emulator writes and reads, under the names of their authors.

Names and numbers follow whatsmeow's `.proto` files; a contract test compares them with the installed library's.
"""

from .protocol.protobuf import Schema

CLIENT_PAYLOAD: Schema = {
    "username": (1, "int"),
    "passive": (3, "bool"),
    "device": (18, "int"),
    "devicePairingData": (
        19,
        {
            "eRegid": (1, "bytes"),
            "eKeytype": (2, "bytes"),
            "eIdent": (3, "bytes"),
            "eSkeyID": (4, "bytes"),
            "eSkeyVal": (5, "bytes"),
            "eSkeySig": (6, "bytes"),
            "buildHash": (7, "bytes"),
            "deviceProps": (8, "bytes"),
        },
    ),
}

ADV_IDENTITY: Schema = {"rawID": (1, "int"), "timestamp": (2, "int"), "keyIndex": (3, "int")}
ADV_SIGNED: Schema = {
    "details": (1, "bytes"),
    "accountSignatureKey": (2, "bytes"),
    "accountSignature": (3, "bytes"),
    "deviceSignature": (4, "bytes"),
}
ADV_SEALED: Schema = {"details": (1, "bytes"), "HMAC": (2, "bytes")}

MESSAGE_KEY: Schema = {
    "remoteJID": (1, "str"),
    "fromMe": (2, "bool"),
    "ID": (3, "str"),
    "participant": (4, "str"),
}


def _message() -> Schema:
    return MESSAGE


CONTEXT: Schema = {
    "stanzaID": (1, "str"),
    "participant": (2, "str"),
    "quotedMessage": (3, _message),
    "mentionedJID": (15, ["str"]),
    "forwardingScore": (21, "int"),
    "isForwarded": (22, "bool"),
    "expiration": (25, "int"),
}
EXTENDED_TEXT: Schema = {
    "text": (1, "str"),
    "matchedText": (2, "str"),
    "description": (5, "str"),
    "title": (6, "str"),
    "contextInfo": (17, CONTEXT),
}
IMAGE: Schema = {
    "mimetype": (2, "str"),
    "caption": (3, "str"),
    "fileSHA256": (4, "bytes"),
    "fileLength": (5, "int"),
    "height": (6, "int"),
    "width": (7, "int"),
    "mediaKey": (8, "bytes"),
    "fileEncSHA256": (9, "bytes"),
    "directPath": (11, "str"),
    "mediaKeyTimestamp": (12, "int"),
    "JPEGThumbnail": (16, "bytes"),
    "contextInfo": (17, CONTEXT),
    "viewOnce": (25, "bool"),
}
VIDEO: Schema = {
    "mimetype": (2, "str"),
    "fileSHA256": (3, "bytes"),
    "fileLength": (4, "int"),
    "seconds": (5, "int"),
    "mediaKey": (6, "bytes"),
    "caption": (7, "str"),
    "height": (9, "int"),
    "width": (10, "int"),
    "fileEncSHA256": (11, "bytes"),
    "directPath": (13, "str"),
    "mediaKeyTimestamp": (14, "int"),
    "contextInfo": (17, CONTEXT),
    "viewOnce": (20, "bool"),
}
AUDIO: Schema = {
    "mimetype": (2, "str"),
    "fileSHA256": (3, "bytes"),
    "fileLength": (4, "int"),
    "seconds": (5, "int"),
    "PTT": (6, "bool"),
    "mediaKey": (7, "bytes"),
    "fileEncSHA256": (8, "bytes"),
    "directPath": (9, "str"),
    "mediaKeyTimestamp": (10, "int"),
    "contextInfo": (17, CONTEXT),
    "viewOnce": (21, "bool"),
}
DOCUMENT: Schema = {
    "mimetype": (2, "str"),
    "title": (3, "str"),
    "fileSHA256": (4, "bytes"),
    "fileLength": (5, "int"),
    "pageCount": (6, "int"),
    "mediaKey": (7, "bytes"),
    "fileName": (8, "str"),
    "fileEncSHA256": (9, "bytes"),
    "directPath": (10, "str"),
    "mediaKeyTimestamp": (11, "int"),
    "contextInfo": (17, CONTEXT),
    "caption": (20, "str"),
}
STICKER: Schema = {
    "fileSHA256": (2, "bytes"),
    "fileEncSHA256": (3, "bytes"),
    "mediaKey": (4, "bytes"),
    "mimetype": (5, "str"),
    "height": (6, "int"),
    "width": (7, "int"),
    "directPath": (8, "str"),
    "fileLength": (9, "int"),
    "mediaKeyTimestamp": (10, "int"),
    "contextInfo": (17, CONTEXT),
}
LOCATION: Schema = {
    "degreesLatitude": (1, "double"),
    "degreesLongitude": (2, "double"),
    "name": (3, "str"),
    "address": (4, "str"),
    "contextInfo": (17, CONTEXT),
}
CONTACT: Schema = {"displayName": (1, "str"), "vcard": (16, "str"), "contextInfo": (17, CONTEXT)}
POLL_OPTION: Schema = {"optionName": (1, "str")}
POLL: Schema = {
    "name": (2, "str"),
    "options": (3, [POLL_OPTION]),
    "selectableOptionsCount": (4, "int"),
    "contextInfo": (5, CONTEXT),
}
REACTION: Schema = {"key": (1, MESSAGE_KEY), "text": (2, "str"), "senderTimestampMS": (4, "int")}
ALBUM: Schema = {
    "expectedImageCount": (2, "int"),
    "expectedVideoCount": (3, "int"),
    "contextInfo": (17, CONTEXT),
}
HISTORY_NOTICE: Schema = {
    "syncType": (6, "int"),
    "chunkOrder": (7, "int"),
    "progress": (9, "int"),
    "initialHistBootstrapInlinePayload": (11, "bytes"),
}
PROTOCOL: Schema = {
    "key": (1, MESSAGE_KEY),
    "type": (2, "int"),
    "ephemeralExpiration": (4, "int"),
    "historySyncNotification": (6, HISTORY_NOTICE),
    "editedMessage": (14, _message),
    "timestampMS": (15, "int"),
}
REVOKE, EPHEMERAL_SETTING, HISTORY_SYNC, MESSAGE_EDIT = 0, 3, 5, 14
"""Types of a protocol message."""
FUTURE_PROOF: Schema = {"message": (1, _message)}
DISTRIBUTION: Schema = {"groupID": (1, "str"), "axolotlSenderKeyDistributionMessage": (2, "bytes")}
ASSOCIATION: Schema = {"associationType": (1, "int"), "parentMessageKey": (2, MESSAGE_KEY), "messageIndex": (3, "int")}
MEDIA_ALBUM = 1
"""The type of an association."""
CONTEXT_OF_MESSAGE: Schema = {"messageSecret": (3, "bytes"), "messageAssociation": (10, ASSOCIATION)}
DEVICE_SENT: Schema = {"destinationJID": (1, "str"), "message": (2, _message)}
MESSAGE: Schema = {
    "conversation": (1, "str"),
    "senderKeyDistributionMessage": (2, DISTRIBUTION),
    "imageMessage": (3, IMAGE),
    "contactMessage": (4, CONTACT),
    "locationMessage": (5, LOCATION),
    "extendedTextMessage": (6, EXTENDED_TEXT),
    "documentMessage": (7, DOCUMENT),
    "audioMessage": (8, AUDIO),
    "videoMessage": (9, VIDEO),
    "protocolMessage": (12, PROTOCOL),
    "stickerMessage": (26, STICKER),
    "deviceSentMessage": (31, DEVICE_SENT),
    "messageContextInfo": (35, CONTEXT_OF_MESSAGE),
    "viewOnceMessage": (37, FUTURE_PROOF),
    "ephemeralMessage": (40, FUTURE_PROOF),
    "reactionMessage": (46, REACTION),
    "pollCreationMessage": (49, POLL),
    "documentWithCaptionMessage": (53, FUTURE_PROOF),
    "viewOnceMessageV2": (55, FUTURE_PROOF),
    "editedMessage": (58, FUTURE_PROOF),
    "pollCreationMessageV3": (64, POLL),
    "ptvMessage": (66, VIDEO),
    "albumMessage": (83, ALBUM),
}

WEB_MESSAGE: Schema = {
    "key": (1, MESSAGE_KEY),
    "message": (2, MESSAGE),
    "messageTimestamp": (3, "int"),
    "participant": (5, "str"),
    "pushName": (19, "str"),
}
CONVERSATION: Schema = {
    "ID": (1, "str"),
    "messages": (2, [{"message": (1, WEB_MESSAGE), "msgOrderID": (2, "int")}]),
    "name": (13, "str"),
}
HISTORY: Schema = {
    "syncType": (1, "int"),
    "conversations": (2, [CONVERSATION]),
    "progress": (6, "int"),
    "phoneNumberToLidMappings": (15, [{"pnJID": (1, "str"), "lidJID": (2, "str")}]),
}
RECENT_HISTORY = 3
"""A kind of history: what was said lately."""

BY_LIBRARY_NAME: dict[str, Schema] = {
    "WAWebProtobufsWa6.ClientPayload": CLIENT_PAYLOAD,
    "WAAdv.ADVDeviceIdentity": ADV_IDENTITY,
    "WAAdv.ADVSignedDeviceIdentity": ADV_SIGNED,
    "WAAdv.ADVSignedDeviceIdentityHMAC": ADV_SEALED,
    "WAWebProtobufsE2E.Message": MESSAGE,
    "WAWebProtobufsHistorySync.HistorySync": HISTORY,
}
"""The schemas that nothing else contains; the rest hangs below them."""

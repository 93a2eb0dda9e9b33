"""What the phone tells a newly linked companion of the time before."""

import time
import zlib

from .people import Group
from .posting import Posted, make_message_id
from .protocol.binary_xml import Attributes, Node
from .protocol.protobuf import Values, decode, encode
from .protocol.signal import DeviceKeys, PreKeyBundle, pad
from .schemas import HISTORY, HISTORY_SYNC, MESSAGE, RECENT_HISTORY


def history_of(group: Group, messages: list[Posted]) -> bytes:
    """The compressed history of one group; the latest message comes first, as phones write it."""
    rows = [{"message": _row(posted)} for posted in reversed(messages)]
    people = dict.fromkeys([posted.sender for posted in messages])
    return zlib.compress(
        encode(
            HISTORY,
            {
                "syncType": RECENT_HISTORY,
                "conversations": [{"ID": group.jid, "messages": rows, "name": group.subject}],
                "progress": 100,
                "phoneNumberToLidMappings": [{"pnJID": person.phone, "lidJID": person.lid} for person in people],
            },
        )
    )


def notice(phone: DeviceKeys, companion: PreKeyBundle, owner: Attributes, history: bytes) -> Node:
    """The phone's message to its own companion that carries a history.

    Args:
        phone: The keys of the phone.
        companion: Those of the companion.
        owner: `from`, the phone's own JID.
        history: Compressed.
    """
    inline: Values = {"syncType": RECENT_HISTORY, "chunkOrder": 1, "progress": 100}
    inline["initialHistBootstrapInlinePayload"] = history
    message = {"protocolMessage": {"type": HISTORY_SYNC, "historySyncNotification": inline}}
    sealed = Node("enc", {"v": 2, "type": "pkmsg"}, phone.encrypt(companion, pad(encode(MESSAGE, message))))
    attributes: Attributes = {"id": make_message_id(), "t": int(time.time()), "type": "text", "category": "peer"}
    return Node("message", {**owner, **attributes}, [sealed])


def _row(posted: Posted) -> Values:
    return {
        "key": {"remoteJID": posted.chat, "fromMe": False, "ID": posted.id, "participant": posted.sender.lid},
        "message": decode(MESSAGE, posted.rendered.plaintext),
        "messageTimestamp": posted.sent_at,
        "participant": posted.sender.lid,
        "pushName": posted.sender.name,
    }

"""From what a member posts to the stanza that the companion gets: sender keys, and how they are told to it."""

import secrets
from dataclasses import dataclass, field

from .account import LinkedDevice
from .contents import Rendered
from .people import Addressing, Person
from .protocol.binary_xml import Attributes, Jid, Node
from .protocol.protobuf import encode
from .protocol.signal import SenderKey, pad
from .schemas import MESSAGE


@dataclass(frozen=True)
class Posted:
    """A message in a group, as its sender's phone keeps it in order to send it again."""

    id: str
    chat: str
    sender: Person
    rendered: Rendered
    sent_at: int
    """Seconds since the epoch."""
    shows_phone: bool = True
    """Whether the server tells the sender's phone number where the group is addressed by LIDs."""
    addressing: Addressing = "lid"


@dataclass
class Pen:
    """Encrypts for one companion; a new one begins when another companion is linked."""

    device: LinkedDevice
    _keys: dict[tuple[str, str], SenderKey] = field(default_factory=dict)

    def write(self, posted: Posted, *, count: int = 0) -> Node:
        """The stanza of a message; the sender's key goes along when the companion does not have it yet."""
        place = (posted.chat, posted.sender.lid)
        envelopes: list[Node] = []
        if place not in self._keys or count:
            self._keys[place] = SenderKey()
            envelopes.append(self._introduce(posted, self._keys[place], count))
        envelopes.append(_sealed(posted, self._keys[place], count))
        return _stanza(posted, envelopes)

    def write_unreadable(self, posted: Posted) -> Node:
        """The stanza of a message whose sender key the companion was never told."""
        return _stanza(posted, [_sealed(posted, SenderKey(), 0)])

    def write_direct(self, posted: Posted) -> Node:
        """The stanza of a message to the account alone."""
        ciphertext = posted.sender.keys().encrypt(self.device.take_bundle(), pad(posted.rendered.plaintext))
        attributes: Attributes = {
            "from": posted.sender.lid_jid,
            "sender_pn": posted.sender.phone_jid,
            "addressing_mode": "lid",
            "id": posted.id,
            "t": posted.sent_at,
            "type": posted.rendered.stanza_type,
            "notify": posted.sender.name,
        }
        return Node("message", attributes, [Node("enc", {"v": 2, "type": "pkmsg"}, ciphertext)])

    def _introduce(self, posted: Posted, key: SenderKey, count: int) -> Node:
        distribution = {"groupID": posted.chat, "axolotlSenderKeyDistributionMessage": key.distribution}
        plaintext = pad(encode(MESSAGE, {"senderKeyDistributionMessage": distribution}))
        ciphertext = posted.sender.keys().encrypt(self.device.take_bundle(), plaintext)
        return Node("enc", {"v": 2, "type": "pkmsg", **_retry(count)}, ciphertext)


def make_message_id() -> str:
    """As an Android phone makes one."""
    return "3EB0" + secrets.token_hex(9).upper()


def _sealed(posted: Posted, key: SenderKey, count: int) -> Node:
    attributes: Attributes = {"v": 2, "type": "skmsg"}
    if posted.rendered.media_type:
        attributes["mediatype"] = posted.rendered.media_type
    if posted.rendered.edit or posted.rendered.stanza_type == "reaction":
        attributes["decrypt-fail"] = "hide"
    return Node("enc", attributes | _retry(count), key.encrypt(pad(posted.rendered.plaintext)))


def _retry(count: int) -> Attributes:
    return {"count": count} if count else {}


def _stanza(posted: Posted, envelopes: list[Node]) -> Node:
    attributes: Attributes = {
        "from": Jid.parse(posted.chat),
        "participant": posted.sender.lid_jid if posted.addressing == "lid" else posted.sender.phone_jid,
        "addressing_mode": posted.addressing,
        "id": posted.id,
        "t": posted.sent_at,
        "type": posted.rendered.stanza_type,
        "notify": posted.sender.name,
    }
    if posted.addressing == "pn":
        attributes["participant_lid"] = posted.sender.lid_jid
    elif posted.shows_phone:
        attributes["participant_pn"] = posted.sender.phone_jid
    if posted.rendered.edit:
        attributes["edit"] = posted.rendered.edit
    return Node("message", attributes, envelopes)

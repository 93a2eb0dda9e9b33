"""What the server tells of a group and of a link: notifications that wait in the queue like messages."""

import secrets
import time
from typing import Literal

from .people import Group, Person
from .protocol.binary_xml import SERVER, Attributes, Jid, Node
from .queries import member_node

Change = Literal["add", "remove", "promote", "demote"]


def membership(group: Group, author: Person, change: Change, person: Person) -> Node:
    """Somebody comes, goes, or becomes an admin, or is one no more."""
    now = int(time.time())
    versions: Attributes = {"prev_v_id": now - 1, "v_id": now}
    return _notification(group, author, Node(change, versions, [member_node(person, group.addressing)]))


def subject(group: Group, author: Person, text: str) -> Node:
    """The group is called something else."""
    names: Attributes = {"subject": text, "s_t": int(time.time()), "s_o": author.lid_jid}
    return _notification(group, author, Node("subject", names))


def creation(group: Group, author: Person, description: Node) -> Node:
    """The account has been put into a group."""
    return _notification(group, author, Node("create", {"type": "new", "key": secrets.token_hex(8)}, [description]))


def passkey_request(stanza_id: str) -> Node:
    """The link is made only if a passkey is shown."""
    options = Node("passkey_request_options", content='{"challenge":"AAAA","rpId":"whatsapp.com"}')
    attributes: Attributes = {
        "from": SERVER,
        "type": "passkey_prologue_request",
        "id": stanza_id,
        "t": int(time.time()),
    }
    return Node("notification", attributes, [options])


def _notification(group: Group, author: Person, change: Node) -> Node:
    attributes: Attributes = {
        "from": Jid.parse(group.jid),
        "type": "w:gp2",
        "id": secrets.token_hex(8),
        "t": int(time.time()),
        "participant": author.lid_jid if group.addressing == "lid" else author.phone_jid,
        "participant_pn": author.phone_jid,
        "notify": author.name,
    }
    return Node("notification", attributes, [change])

"""The server's answers to `<iq>`: keys, devices, groups, media hosts."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from .account import Account
from .certificates import MEDIA_HOST
from .connection import Connection
from .observations import Observations
from .people import Addressing, Directory, Group, Person
from .protocol.binary_xml import LID, Attributes, Jid, Node
from .protocol.signal import DeviceKeys

Answer = Callable[[Connection, Node], Awaitable[None]]


@dataclass(frozen=True)
class Queries:
    """Answers by namespace and the first element; what is not understood gets an empty result and is noted."""

    account: Account
    people: Directory
    seen: Observations

    async def answer(self, connection: Connection, query: Node) -> None:
        """Answer a query."""
        namespace, asked = query.text("xmlns"), query.children[0].tag if query.children else ""
        table: dict[tuple[str, str], Answer] = {
            ("encrypt", "count"): self._count,
            ("encrypt", "registration"): self._upload,
            ("encrypt", "key"): self._bundles,
            ("passive", "active"): _nothing,
            ("passive", "passive"): _nothing,
            ("w:p", ""): _nothing,
            ("w:p", "ping"): _nothing,
            ("usync", "usync"): self._devices,
            ("w:g2", "query"): self._group,
            ("w:g2", "participating"): self._groups,
            ("w:m", "media_conn"): _media_hosts,
            ("privacy", "privacy"): _privacy,
        }
        known = table.get((namespace, asked))
        if known is None:
            self.seen.unknown_queries.append(f"{namespace} {query.text('type')} {asked}".strip())
        await (known or _nothing)(connection, query)

    async def _count(self, connection: Connection, query: Node) -> None:
        device = self.account.device
        await connection.answer(query, Node("count", {"value": len(device.one_time) if device else 0}))

    async def _upload(self, connection: Connection, query: Node) -> None:
        keys = query.child("list")
        if self.account.device and keys:
            self.account.device.upload(keys)
        await connection.answer(query)

    async def _bundles(self, connection: Connection, query: Node) -> None:
        asked = query.child("key")
        users = [user.jid("jid") for user in asked.all("user")] if asked else []
        await connection.answer(query, Node("list", content=[self._bundle(jid) for jid in users]))

    def _bundle(self, jid: Jid) -> Node:
        person = self.people.find(jid)
        if person is None or jid.device:
            return Node("user", {"jid": jid}, [Node("error", {"code": 404, "text": "item-not-found"})])
        return Node("user", {"jid": jid}, _key_nodes(person.keys()))

    async def _devices(self, connection: Connection, query: Node) -> None:
        asked = query.child("usync", "list")
        users = [user.jid("jid") for user in asked.all("user")] if asked else []
        found = [(jid, person) for jid in users if (person := self.people.find(jid))]
        content = [Node("user", self._names(jid, person), [self._device_list(person)]) for jid, person in found]
        await connection.answer(query, Node("usync", content=[Node("list", content=content)]))

    def _names(self, jid: Jid, person: Person) -> Attributes:
        return {"jid": jid, "lid": person.lid_jid} if jid.server != LID else {"jid": jid}

    def _device_list(self, person: Person) -> Node:
        numbers = [0]
        if person == self.account.owner and self.account.device:
            numbers.append(self.account.device.number)
        devices = [Node("device", {"id": number}) for number in numbers]
        return Node("devices", content=[Node("device-list", content=devices)])

    async def _group(self, connection: Connection, query: Node) -> None:
        group = self.people.groups.get(query.text("to"))
        if group is None:
            error = Node("error", {"code": 404, "text": "item-not-found"})
            await connection.send(
                Node("iq", {"type": "error", "from": query.jid("to"), "id": query.text("id")}, [error])
            )
            return
        await connection.answer(query, self.group_node(group))

    async def _groups(self, connection: Connection, query: Node) -> None:
        groups = [self.group_node(group) for group in self.people.groups.values()]
        await connection.answer(query, Node("groups", content=groups))

    def group_node(self, group: Group) -> Node:
        """A group with its members, the bot's account among them."""
        creator = group.members[0] if group.members else self.account.owner
        attributes: Attributes = {
            "id": Jid.parse(group.jid).user,
            "creator": creator.lid_jid,
            "creation": group.created_at,
            "subject": group.subject,
            "s_t": group.created_at,
            "s_o": creator.lid_jid,
            "addressing_mode": group.addressing,
            "size": len(group.members) + 1,
            "p_v_id": group.created_at,
        }
        people = (*group.members, self.account.owner)
        members = [member_node(person, group.addressing, is_first=not number) for number, person in enumerate(people)]
        return Node("group", attributes, members)


def member_node(person: Person, addressing: Addressing, *, is_first: bool = False) -> Node:
    """A member of a group; the first is its admin."""
    names: Attributes = {"jid": person.lid_jid, "phone_number": person.phone_jid}
    if addressing == "pn":
        names = {"jid": person.phone_jid, "lid": person.lid_jid}
    return Node("participant", names | ({"type": "superadmin"} if is_first else {}))


def _key_nodes(keys: DeviceKeys) -> list[Node]:
    signed = [
        Node("id", content=keys.signed_pre_key_id.to_bytes(3)),
        Node("value", content=keys.signed_pre_key.public),
        Node("signature", content=keys.signature),
    ]
    return [
        Node("registration", content=keys.registration_id.to_bytes(4)),
        Node("type", content=b"\x05"),
        Node("identity", content=keys.identity.public),
        Node("skey", content=signed),
    ]


async def _nothing(connection: Connection, query: Node) -> None:
    await connection.answer(query)


async def _privacy(connection: Connection, query: Node) -> None:
    settings = [Node("category", {"name": name, "value": "all"}) for name in ("readreceipts", "last", "groupadd")]
    await connection.answer(query, Node("privacy", content=settings))


async def _media_hosts(connection: Connection, query: Node) -> None:
    names: Attributes = {"auth": "emulated", "ttl": 300, "auth_ttl": 21600, "max_buckets": 12}
    await connection.answer(query, Node("media_conn", names, [Node("host", {"hostname": MEDIA_HOST})]))

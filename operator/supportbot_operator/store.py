"""What the watches have seen: the bots and their children, as the API server last had them."""

from collections.abc import Iterator
from typing import Literal, NamedTuple, TypeVar

from supportbot_operator.kube import API_VERSION, Object

BOT_LABEL = "supportbot.dev/bot"
MANAGED_BY = "supportbot-operator"

EventType = Literal["ADDED", "MODIFIED", "DELETED", "BOOKMARK"] | None
"""None for an object of the first list."""


class BotName(NamedTuple):
    """A bot in the cluster."""

    namespace: str
    name: str


class Identity(NamedTuple):
    """An object in the cluster."""

    api_version: str
    kind: str
    namespace: str
    name: str


def identity(obj: Object) -> Identity:
    """What tells the object from all others that exist at the same time."""
    meta = obj["metadata"]
    return Identity(obj["apiVersion"], obj["kind"], meta["namespace"], meta["name"])


def is_bot(obj: Object) -> bool:
    """Whether it is a SupportBot."""
    return (obj["apiVersion"], obj["kind"]) == (API_VERSION, "SupportBot")


class Store:
    """Filled by the watches and by our own writes, read by the workers; all live in one event loop."""

    def __init__(self) -> None:
        self._bots: dict[BotName, Object] = {}
        self._children: dict[BotName, dict[Identity, Object]] = {}
        self._deleted: set[BotName] = set()

    def see(self, event: EventType, obj: Object) -> BotName | None:
        """Take an event; the bot that it is about, if any. What is older than what is known changes nothing."""
        meta = obj["metadata"]
        meta.pop("managedFields", None)
        if is_bot(obj):
            bot = BotName(meta["namespace"], meta["name"])
            _put(self._bots, bot, event, obj)
            if bot in self._bots:
                self._deleted.discard(bot)
            else:
                self._deleted.add(bot)
            return bot
        label = meta.get("labels", {}).get(BOT_LABEL)
        if label is None:
            return None
        bot = BotName(meta["namespace"], label)
        children = self._children.setdefault(bot, {})
        _put(children, identity(obj), event, obj)
        if not children:
            del self._children[bot]
        return bot

    def was_deleted(self, bot: BotName) -> bool:
        """Whether its deletion was seen, and nobody has dealt with it yet."""
        return bot in self._deleted

    def forget(self, bot: BotName) -> None:
        """Its deletion has been dealt with."""
        self._deleted.discard(bot)

    def objects(self) -> Iterator[Object]:
        """Everything that is there."""
        yield from tuple(self._bots.values())
        for children in tuple(self._children.values()):
            yield from tuple(children.values())

    def bot(self, name: BotName) -> Object | None:
        """The resource of a bot; None when it is gone."""
        return self._bots.get(name)

    def version(self, obj: Object) -> str | None:
        """The resourceVersion that the store has of an object; None when it has not seen it."""
        meta = obj["metadata"]
        if is_bot(obj):
            seen = self._bots.get(BotName(meta["namespace"], meta["name"]))
        else:
            bot = BotName(meta["namespace"], meta.get("labels", {}).get(BOT_LABEL, ""))
            seen = self._children.get(bot, {}).get(identity(obj))
        return None if seen is None else seen["metadata"]["resourceVersion"]

    def bots(self) -> Iterator[BotName]:
        """All bots."""
        return iter(tuple(self._bots))

    def children(self, name: BotName, uid: str) -> dict[Identity, Object]:
        """The objects that the bot with this uid owns."""
        found = self._children.get(name, {})
        return {
            child: obj
            for child, obj in found.items()
            if any(owner.get("uid") == uid for owner in obj["metadata"].get("ownerReferences", ()))
        }


K = TypeVar("K")


def _put(known: dict[K, Object], key: K, event: EventType, obj: Object) -> None:
    before = known.get(key)
    is_same_object = before is not None and before["metadata"]["uid"] == obj["metadata"]["uid"]
    if event == "DELETED":
        if before is None or is_same_object:
            known.pop(key, None)
    elif before is None or not is_same_object or not _is_older(obj, before):
        known[key] = obj


def _is_older(one: Object, other: Object) -> bool:
    """Versions may be compared as numbers: KEP-5504, and true of every API server on etcd before."""
    versions = [obj["metadata"]["resourceVersion"] for obj in (one, other)]
    return all(map(str.isdecimal, versions)) and int(versions[0]) < int(versions[1])

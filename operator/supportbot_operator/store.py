"""What the watches have seen: the bots and their children, as the API server last had them."""

from collections.abc import Iterator
from typing import Literal, NamedTuple

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


class Store:
    """Filled by the watches, read by the workers; both live in one event loop."""

    def __init__(self) -> None:
        self._bots: dict[BotName, Object] = {}
        self._children: dict[BotName, dict[Identity, Object]] = {}

    def see(self, event: EventType, obj: Object) -> BotName | None:
        """Take an event; the bot that it is about, if any."""
        meta = obj["metadata"]
        meta.pop("managedFields", None)
        if (obj["apiVersion"], obj["kind"]) == (API_VERSION, "SupportBot"):
            bot = BotName(meta["namespace"], meta["name"])
            if event == "DELETED":
                self._bots.pop(bot, None)
            else:
                self._bots[bot] = obj
            return bot
        label = meta.get("labels", {}).get(BOT_LABEL)
        if label is None:
            return None
        bot = BotName(meta["namespace"], label)
        children = self._children.setdefault(bot, {})
        if event == "DELETED":
            children.pop(identity(obj), None)
        else:
            children[identity(obj)] = obj
        if not children:
            del self._children[bot]
        return bot

    def bot(self, name: BotName) -> Object | None:
        """The resource of a bot; None when it is gone."""
        return self._bots.get(name)

    def version(self, obj: Object) -> str | None:
        """The resourceVersion that the store has of an object; None when it has not seen it."""
        meta = obj["metadata"]
        if (obj["apiVersion"], obj["kind"]) == (API_VERSION, "SupportBot"):
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

"""What the watches have seen, and whether they still see everything."""

from typing import Any

from supportbot_operator.kube import Object
from supportbot_operator.lag import Lag
from supportbot_operator.store import BotName, Store

BOT = BotName("support", "tiendas")


def bot(version: str = "1") -> Object:
    meta = {"namespace": "support", "name": "tiendas", "uid": "u1", "resourceVersion": version, "managedFields": [{}]}
    return {"apiVersion": "supportbot.dev/v1alpha1", "kind": "SupportBot", "metadata": meta, "spec": {}}


def child(uid: str = "u1", version: str = "1", **labels: str) -> Object:
    meta: dict[str, Any] = {
        "namespace": "support",
        "name": "tiendas-spec",
        "uid": f"child of {uid}",
        "resourceVersion": version,
        "labels": {"supportbot.dev/bot": "tiendas", **labels},
        "ownerReferences": [{"uid": uid}],
    }
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta}


def test_events_name_the_bot_that_they_are_about() -> None:
    store = Store()
    assert [store.see(None, bot()), store.see("ADDED", child()), store.see("DELETED", child())] == [BOT] * 3
    stranger = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": "support", "name": "x"}}
    assert store.see("ADDED", stranger) is None


def test_children_are_those_of_the_same_uid() -> None:
    """A bot that is made again under its name does not own what its predecessor left."""
    store = Store()
    store.see("ADDED", child("u0"))
    assert store.children(BOT, "u1") == {}
    assert len(store.children(BOT, "u0")) == 1


def test_what_is_deleted_is_forgotten() -> None:
    store = Store()
    store.see("ADDED", bot())
    store.see("ADDED", child())
    store.see("DELETED", child())
    store.see("DELETED", bot())
    assert (store.bot(BOT), list(store.bots()), store.children(BOT, "u1")) == (None, [], {})


def test_the_history_of_fields_is_not_kept() -> None:
    store = Store()
    store.see("ADDED", bot())
    stored = store.bot(BOT)
    assert stored is not None
    assert "managedFields" not in stored["metadata"]


def test_late_events_of_what_is_known_better_change_nothing() -> None:
    """What was written is known at once; its watch tells of it, and of what was before it, later."""
    store = Store()
    store.see("MODIFIED", bot("9"))
    store.see("MODIFIED", bot("8"))
    stored = store.bot(BOT)
    assert stored is not None
    assert stored["metadata"]["resourceVersion"] == "9"
    successor = bot("10")
    successor["metadata"]["uid"] = "u2"
    store.see("ADDED", successor)
    store.see("DELETED", bot("9"))
    assert store.bot(BOT) is successor


def test_a_deletion_counts_once_it_was_seen_until_it_is_dealt_with() -> None:
    store = Store()
    assert not store.was_deleted(BOT)
    store.see("ADDED", bot())
    store.see("DELETED", bot())
    assert store.was_deleted(BOT)
    store.forget(BOT)
    assert not store.was_deleted(BOT)
    store.see("DELETED", bot())
    store.see("ADDED", bot())
    assert not store.was_deleted(BOT)


class Lists:
    """An API server with the objects that a test puts there."""

    def __init__(self, *objects: Object) -> None:
        self.objects = list(objects)

    async def list(self, api_version: str, kind: str, namespace: str | None = None, **query: str) -> list[Object]:
        found = [obj for obj in self.objects if (obj["apiVersion"], obj["kind"]) == (api_version, kind)]
        # As the API server answers: items have no kind of their own.
        return [{"metadata": obj["metadata"]} for obj in found]


async def test_watches_that_follow_are_not_stuck() -> None:
    store, lists = Store(), Lists(bot("1"), child(version="1"))
    lag = Lag(lists, store, (), lambda _: None)
    store.see(None, bot("1"))
    store.see(None, child(version="1"))
    await lag.until_complete()
    assert await lag.look() == []
    lists.objects[0] = bot("2")
    assert await lag.look() == []
    store.see("MODIFIED", bot("2"))
    lists.objects[0] = bot("3")
    assert await lag.look() == []
    store.see("MODIFIED", bot("3"))
    assert await lag.look() == []


async def test_a_watch_that_has_ended_is_found_at_the_second_look() -> None:
    store, lists = Store(), Lists(bot("1"), child(version="1"))
    lag = Lag(lists, store, (), lambda _: None)
    store.see(None, bot("1"))
    lists.objects[0] = bot("2")
    store.see(None, child(version="1"))
    assert await lag.look() == []
    assert [one.kind for one in await lag.look()] == ["SupportBot"]


async def test_what_never_appeared_is_found_too() -> None:
    store, lists = Store(), Lists(bot("1"))
    lag = Lag(lists, store, ("support",), lambda _: None)
    assert await lag.look() == []
    assert [one.name for one in await lag.look()] == ["tiendas"]


async def test_what_was_deleted_while_a_watch_was_away_is_taken_out_at_the_second_look() -> None:
    """After "410 Gone" kopf lists anew and tells only of what exists."""
    store, lists, gone = Store(), Lists(bot("1"), child()), list[BotName]()
    lag = Lag(lists, store, (), gone.append)
    store.see(None, bot("1"))
    store.see(None, child())
    lists.objects.clear()
    await lag.look()
    assert store.bot(BOT) is not None
    await lag.look()
    assert (store.bot(BOT), store.was_deleted(BOT), set(gone)) == (None, True, {BOT})

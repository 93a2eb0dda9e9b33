"""Who may touch what: every service against every subject of two bots, the API of JetStream and the system.

The expectation is written here by hand and not made by `permissions`; the broker says what is so.
"""

import itertools
import json
from collections.abc import Iterator

import pytest
from tests.contract.access.support import SecuredNATS
from tests.events import make_message, until

from supportbot import topology
from supportbot.contracts import dump_event
from supportbot.envelope import event_headers, read_event
from supportbot.errors import PermanentError
from supportbot.nats_connection import Connection, open_connection
from supportbot.reader import read_stream
from supportbot.topology import Bucket, Stage

pytestmark = pytest.mark.nats

GROUP = "57d43950ac262b14"
MARK = "read-00000000000000000000000000000000"

STREAM_VERBS = (
    "CREATE",
    "UPDATE",
    "DELETE",
    "PURGE",
    "INFO",
    "MSG.GET",
    "MSG.DELETE",
    "SNAPSHOT",
    "RESTORE",
    "LEADER.STEPDOWN",
    "PEER.REMOVE",
)
CONSUMER_VERBS = (
    "CREATE",
    "DURABLE.CREATE",
    "DELETE",
    "INFO",
    "MSG.NEXT",
    "PAUSE",
    "RESET",
    "UNPIN",
    "LEADER.STEPDOWN",
)

OWN_STREAM = {Stage.WHATSAPP: "replies", Stage.CLASSIFIER: "inbox", Stage.TICKET: "tickets"}

MAY: dict[Stage, set[str]] = {
    Stage.WHATSAPP: {
        "in",
        "KV_effects STREAM.INFO",
        "KV_effects STREAM.MSG.GET",
        "KV_effects key reply",
        "OBJ_media STREAM.INFO",
        "OBJ_media STREAM.MSG.GET",
        "OBJ_media C",
        "OBJ_media M",
    },
    Stage.CLASSIFIER: {
        "cls",
        "KV_memory STREAM.INFO",
        "KV_memory STREAM.MSG.GET",
        "KV_memory key",
        "KV_labels STREAM.INFO",
        "KV_labels STREAM.MSG.GET",
        "KV_labels key",
        "KV_breakers STREAM.INFO",
        "KV_breakers STREAM.MSG.GET",
        "KV_breakers key model",
        "KV_usage STREAM.INFO",
        "KV_usage STREAM.MSG.GET",
        "KV_usage key",
    },
    Stage.TICKET: {
        "out",
        "KV_effects STREAM.INFO",
        "KV_effects STREAM.MSG.GET",
        "KV_effects key",
        "KV_effects key reply",
        "KV_effects key model",
        "KV_effects CREATE queue",
        "KV_effects reader CONSUMER.MSG.NEXT",
        "KV_effects reader CONSUMER.DELETE",
        "KV_tokens STREAM.INFO",
        "KV_tokens STREAM.MSG.GET",
        "KV_tokens key",
        "KV_tokens key reply",
        "KV_tokens key model",
        "KV_breakers STREAM.INFO",
        "KV_breakers STREAM.MSG.GET",
        "KV_breakers key",
        "OBJ_media STREAM.INFO",
        "OBJ_media STREAM.MSG.GET",
        "OBJ_media CREATE chunks",
        "OBJ_media reader CONSUMER.MSG.NEXT",
        "OBJ_media reader CONSUMER.DELETE",
    },
}
"""What a service may do at its own bot, beside its lanes and what all may."""


def may(stage: Stage) -> set[str]:
    stream = OWN_STREAM[stage]
    verbs = ("CONSUMER.INFO", "CONSUMER.MSG.NEXT", "ACK", "ACK2")
    lanes = {f"{stream} {stage} {verb}" for verb in verbs} | {f"{stream} STREAM.INFO"}
    everybody = {"trail", f"dlq {stage}", "KV_state STREAM.INFO", f"KV_state key {stage}"}
    return MAY[stage] | lanes | everybody


def subjects_of(bot: str) -> Iterator[tuple[str, str]]:
    """A name for each thing that could be done at a bot, and the subject to publish to."""
    for word in ("in", "cls", "out", "trail"):
        yield word, f"{word}.{bot}.{GROUP}"
    for word in ("inbox", "ticket", "reply"):
        yield f"stored {word}", f"{word}.{bot}.0.{GROUP}"
    for stage in Stage:
        yield f"dlq {stage}", f"dlq.{bot}.{stage}.{GROUP}"
        yield f"inbox of {stage}", f"_INBOX_{stage}_{bot}.x.1"
        yield f"KV_state key {stage}", f"$KV.{bot}_state.{stage}.pod-0"
    for bucket in Bucket:
        yield f"KV_{bucket} key", f"$KV.{bot}_{bucket}.a"
        yield f"KV_{bucket} key reply", f"$KV.{bot}_{bucket}.reply.a.opened"
        yield f"KV_{bucket} key model", f"$KV.{bot}_{bucket}.model.a"
        yield f"KV_{bucket} CREATE all", f"$JS.API.CONSUMER.CREATE.KV_{bot}_{bucket}.{MARK}.$KV.{bot}_{bucket}.>"
        queue = f"$KV.{bot}_{bucket}.desk.queue.>"
        yield f"KV_{bucket} CREATE queue", f"$JS.API.CONSUMER.CREATE.KV_{bot}_{bucket}.{MARK}.{queue}"
        yield f"KV_{bucket} DIRECT.GET", f"$JS.API.DIRECT.GET.KV_{bot}_{bucket}.$KV.{bot}_{bucket}.a"
        yield from streams(f"KV_{bucket}", f"KV_{bot}_{bucket}", "reader", MARK)
    for part in "CM":
        yield f"OBJ_media {part}", f"$O.{bot}_media.{part}.x"
    yield "OBJ_media CREATE chunks", f"$JS.API.CONSUMER.CREATE.OBJ_{bot}_media.{MARK}.$O.{bot}_media.C.x"
    yield "OBJ_media CREATE all", f"$JS.API.CONSUMER.CREATE.OBJ_{bot}_media.{MARK}.$O.{bot}_media.>"
    yield from streams("OBJ_media", f"OBJ_{bot}_media", "reader", MARK)
    for stage, name in OWN_STREAM.items():
        yield from streams(name, f"{bot}-{name}", str(stage), f"{stage}-0")
        yield (
            f"{name} CREATE lane",
            f"$JS.API.CONSUMER.CREATE.{bot}-{name}.{stage}-0.{topology.lane_subject(bot, stage, 0)}",
        )
        place = f"{bot}-{name}.{stage}-0.1.1.1.1700000000000000000.0"
        yield f"{name} {stage} ACK", f"$JS.ACK.{place}"
        yield f"{name} {stage} ACK2", f"$JS.ACK.hub.ACCHASH.{place}.x"
        yield f"{name} advisory", f"{topology.advisory_subject(bot, stage)[:-1]}{stage}-0"
    for name in ("dlq", "trail"):
        yield from streams(name, f"{bot}-{name}", "any", "any")
    yield "janitor MSG.NEXT", f"$JS.API.CONSUMER.MSG.NEXT.EVENTS.janitor-{bot}"
    yield "janitor DELETE", f"$JS.API.CONSUMER.DELETE.EVENTS.janitor-{bot}"


def streams(name: str, stream: str, consumer_name: str, consumer: str) -> Iterator[tuple[str, str]]:
    for verb in STREAM_VERBS:
        yield f"{name} STREAM.{verb}", f"$JS.API.STREAM.{verb}.{stream}"
    for verb in CONSUMER_VERBS:
        yield f"{name} {consumer_name} CONSUMER.{verb}", f"$JS.API.CONSUMER.{verb}.{stream}.{consumer}"
    for verb in ("CREATE", "NAMES", "LIST"):
        yield f"{name} CONSUMER.{verb}", f"$JS.API.CONSUMER.{verb}.{stream}"
    yield f"{name} DIRECT.GET any", f"$JS.API.DIRECT.GET.{stream}"


GLOBAL = (
    *("$JS.API.INFO", "$JS.API.STREAM.NAMES", "$JS.API.STREAM.LIST", "$JS.API.STREAM.CREATE.mine"),
    *("$JS.API.ACCOUNT.PURGE.ACME", "$JS.API.SERVER.REMOVE", "$JS.API.STREAM.DELETE.EVENTS"),
    *("$JS.API.STREAM.MSG.GET.EVENTS", "$SYS.REQ.SERVER.PING", "$SYS.REQ.ACCOUNT.PING.CONNZ", "$SYS.REQ.USER.INFO"),
    *("$SYS.REQ.CLAIMS.UPDATE", "_INBOX.x", "check.x", "anything", "in.x", "$JS.FC.x.y"),
)

LAST = "last"
"""Refused to everybody; the broker tells of refusals in their order."""


async def find_refused(connection: Connection) -> dict[str, str]:
    """What the broker has refused of all that was asked."""
    await connection.nc.publish(LAST, b"")
    await until(lambda: LAST in connection.denied)
    return {subject: what for subject, what in connection.denied.items() if subject != LAST}


@pytest.mark.parametrize("stage", Stage)
async def test_a_service_may_do_its_own_work_and_nothing_else(
    secured: SecuredNATS, bots: tuple[str, str], stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("supportbot.nats_connection.MAX_DENIED", 10_000)
    own, other = bots
    allowed = {subject for name, subject in subjects_of(own) if name in may(stage)}
    assert len(allowed) == len(may(stage)), may(stage) - {name for name, _ in subjects_of(own)}
    everything = [subject for _, subject in itertools.chain(subjects_of(own), subjects_of(other))] + list(GLOBAL)
    expected = {subject.lower() for subject in everything if subject not in allowed}
    inbox = topology.inbox_prefix(own, stage)
    access = secured.service(own, stage)
    async with open_connection(secured.url, service=stage.value, inbox=inbox, access=access) as connection:
        for subject in everything:
            await connection.nc.publish(subject, b"")
        refused = set(await find_refused(connection))
    assert refused - expected == set(), "it may not do its work"
    assert expected - refused == set(), "it may do too much"
    assert len(refused) == len(everything) - len(allowed) > 600


@pytest.mark.parametrize("stage", Stage)
async def test_a_service_hears_its_own_answers_and_nothing_else(
    secured: SecuredNATS, bots: tuple[str, str], stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("supportbot.nats_connection.MAX_DENIED", 10_000)
    own = bots[0]
    wild = [">", "*", "*.>", "_INBOX.>", "$SYS.>", "$JS.>", "$KV.>", "$O.>", "$JS.EVENT.>", f"*.{own}.>", "*.*"]
    for bot, word in itertools.product(bots, ("in", "cls", "out", "dlq", "trail", "inbox", "ticket", "reply")):
        wild.append(f"{word}.{bot}.>")
    foreign = [f"{topology.inbox_prefix(bot, one)}.>" for bot, one in itertools.product(bots, Stage)]
    mine = f"{topology.inbox_prefix(own, stage)}.>"
    subjects = [*wild, *(one for one in foreign if one != mine), f"{topology.inbox_prefix(own, stage)}"]
    access = secured.service(own, stage)
    inbox = topology.inbox_prefix(own, stage)
    async with open_connection(secured.url, service=stage.value, inbox=inbox, access=access) as connection:
        for subject in (*subjects, mine):
            await connection.nc.subscribe(subject)
        assert await find_refused(connection) == {subject.lower(): "subscription" for subject in subjects}


async def test_a_reader_cannot_be_given_another_filter(secured: SecuredNATS, bots: tuple[str, str]) -> None:
    """The API's subject is allowed; the broker compares it with the request."""
    bot = bots[0]
    allowed = f"$JS.API.CONSUMER.CREATE.OBJ_{bot}_media.{MARK}.$O.{bot}_media.C.x"
    access, inbox = secured.service(bot, Stage.TICKET), topology.inbox_prefix(bot, Stage.TICKET)
    async with open_connection(secured.url, service="ticket", inbox=inbox, access=access) as connection:
        for change in (
            {"filter_subject": f"$O.{bot}_media.>"},
            {"filter_subject": None},
            {"filter_subject": None, "filter_subjects": [f"$O.{bot}_media.>"]},
        ):
            config = {"name": MARK, "filter_subject": f"$O.{bot}_media.C.x", "ack_policy": "none", "mem_storage": True}
            request = {"stream_name": f"OBJ_{bot}_media", "config": config | change}
            answer = await connection.nc.request(allowed, json_bytes(request), timeout=5)
            assert b'"error"' in answer.data, (change, answer.data)
        for stream in (f"{bot}-inbox", f"OBJ_{bots[1]}_media"):
            request = {"stream_name": stream, "config": {"name": MARK, "filter_subject": f"$O.{bot}_media.C.x"}}
            answer = await connection.nc.request(allowed, json_bytes(request), timeout=5)
            assert b'"error"' in answer.data, (stream, answer.data)


def json_bytes(value: object) -> bytes:
    return json.dumps(value).encode()


async def test_a_rollup_empties_no_bucket(secured: SecuredNATS, operator: Connection, bots: tuple[str, str]) -> None:
    bot = bots[0]
    js = operator.nc.jetstream()
    await js.publish(f"$KV.{bot}_effects.ticket.i_1", b"done")
    access, inbox = secured.service(bot, Stage.WHATSAPP), topology.inbox_prefix(bot, Stage.WHATSAPP)
    async with open_connection(secured.url, service="whatsapp", inbox=inbox, access=access) as connection:
        subject = f"$KV.{bot}_effects.reply.x.opened"
        answer = await connection.nc.request(subject, b"", timeout=5, headers={"Nats-Rollup": "all"})
        assert b'"error"' in answer.data
    assert (await js.stream_info(f"KV_{bot}_effects")).state.messages == 1


async def test_two_bots_do_not_see_each_other(
    secured: SecuredNATS, operator: Connection, bots: tuple[str, str]
) -> None:
    """With a service of one bot that takes itself for the other's."""
    mine, theirs = bots
    access, inbox = secured.service(mine, Stage.CLASSIFIER), topology.inbox_prefix(mine, Stage.CLASSIFIER)
    async with open_connection(secured.url, service="classifier", inbox=inbox, access=access) as connection:
        js = connection.nc.jetstream(timeout=0.3)
        for attempt in (
            js.publish(f"cls.{theirs}.{GROUP}", b"x", timeout=0.3),
            js.stream_info(f"{theirs}-inbox"),
            js.get_msg(f"{theirs}-inbox", 1),
            js.key_value(f"{theirs}_memory"),
            js.object_store(f"{theirs}_media"),
            js.consumer_info(f"{theirs}-inbox", "classifier-0"),
        ):
            with pytest.raises(TimeoutError):
                await attempt
        assert len(connection.denied) == 6
    assert (await operator.nc.jetstream().stream_info(f"{theirs}-tickets")).state.messages == 0


WRITES: dict[Stage, tuple[str, ...]] = {
    Stage.WHATSAPP: (),
    Stage.CLASSIFIER: ("memory", "labels", "usage"),
    Stage.TICKET: ("effects", "tokens", "breakers"),
}
"""Buckets with keys of any name."""


async def test_an_answer_that_is_sent_elsewhere_is_no_event_there(
    secured: SecuredNATS, operator: Connection, bots: tuple[str, str]
) -> None:
    """The broker does not check reply subjects: all that a service can make it answer with goes to the other bot."""
    mine, theirs = bots
    event = make_message(1)
    envelope_ = event_headers(event, source="x", at=event.sent_at)
    js = operator.nc.jetstream()
    published = [f"{word}.{theirs}.{GROUP}" for word in ("in", "cls", "out")]
    for stage in Stage:
        access, inbox = secured.service(mine, stage), topology.inbox_prefix(mine, stage)
        own = [subject for name, subject in subjects_of(mine) if name in may(stage)]
        async with open_connection(secured.url, service=stage.value, inbox=inbox, access=access) as connection:
            for request, reply in itertools.product(own, published):
                await connection.nc.publish(request, dump_event(event), reply=reply, headers=envelope_)
            for bucket in WRITES[stage]:
                key, stream = f"$KV.{mine}_{bucket}.a", f"KV_{mine}_{bucket}"
                await connection.nc.publish(key, dump_event(event), headers=envelope_)
                for reply in published:
                    request = f"$JS.API.STREAM.MSG.GET.{stream}"
                    await connection.nc.publish(request, json.dumps({"last_by_subj": key}).encode(), reply=reply)
                    await connection.nc.publish(f"$JS.API.DIRECT.GET.{stream}.{key}", b"", reply=reply)
            await find_refused(connection)
    arrived = 0
    for stage in Stage:
        stream = topology.stream_name(theirs, stage)
        for stored in await read_stream(operator.nc, stream, subject=topology.lane_subject(theirs, stage)):
            arrived += 1
            with pytest.raises(PermanentError):
                read_event(stored.headers, stored.data)
    assert arrived > 10, "or this test shows nothing"
    assert (await js.stream_info(f"{mine}-inbox")).state.messages > 0

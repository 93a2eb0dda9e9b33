"""What a bot's status says (pure): five conditions, each with its reason, and counters.

Conditions follow metav1.Condition, and `Ready` follows kstatus, so that `kubectl wait` and `helm --wait` work. A
condition is computed afresh each time: it clears by itself when its cause is gone.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from supportbot.health import State
from supportbot.spec import SecretKey
from supportbot_operator.conditions import Reason, Status, Type, Verdict, format_time, make_status, ready_condition
from supportbot_operator.desired import Bot, Component
from supportbot_operator.kube import Object
from supportbot_operator.pairing import REASONS as PAIRING_REASONS
from supportbot_operator.pairing import say_where

REPORT_LASTS = timedelta(seconds=45)
"""Services report every 10 s; what is older says nothing about now."""
BACKLOG_AFTER = timedelta(minutes=5)
QUIET_HOURS = "QuietHours"
"""What a gateway says of its sends while the spec wants silence."""
_PASSING = {"Starting", "StreamsMissing"}
"""What a service says of its bus for a moment after its start."""


@dataclass(frozen=True)
class Check:
    """One line of a service's report."""

    state: State
    reason: str
    message: str


@dataclass(frozen=True)
class Report:
    """What one process of a bot said of itself; `supportbot.health.Health.to_json`."""

    service: str
    instance: str
    at: datetime
    """When it came: to the operator, or before the operator was there to the broker."""
    checks: Mapping[str, Check]
    facts: Mapping[str, str] = field(default_factory=dict)
    """What it says of itself that is neither good nor bad."""
    private: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What is for the operator alone; it goes into a Secret, never into a status, an Event or a log."""


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """How the messages of a bot fare."""

    received: int = 0
    tickets: int = 0
    dead_lettered: int = 0
    waiting_dead_letters: int = 0
    unaccounted: int = 0
    backlogged_since: datetime | None = None
    """When the oldest message that waits for a decision or a ticket came, if that is longer ago than is normal."""
    unanswered_since: datetime | None = None
    """The same for what the group is to be told."""
    updated_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Observed:
    """Everything that the status follows from."""

    now: datetime
    workloads: Sequence[Object] = ()
    """Deployments and StatefulSets as the API server has them."""
    missing: Sequence[SecretKey] = ()
    refused: str = ""
    """Why the API server refuses an object of the bot."""
    unreachable: str = ""
    """Why not everything could be read or written just now."""
    broker_problem: tuple[Reason, str] | None = None
    """Why the bot's streams could not be made."""
    reports: Sequence[Report] = ()
    pipeline: Pipeline | None = None
    is_new: bool = False
    """The operator itself has only begun: what it does not know yet is as it was."""
    offers_pairing: bool = False
    """A code to link the device is in its Secret."""
    volume_problem: str = ""
    """Why the gateway's volume does not grow."""


def assess(bot: Bot, observed: Observed, previous: Mapping[str, Any]) -> Status:
    """The status of a bot.

    Args:
        bot: The bot.
        observed: How everything is.
        previous: Its status so far, for the times.
    """
    causes = {
        Type.WHATSAPP_LINKED: _whatsapp(bot, observed),
        Type.MODELS_AVAILABLE: _models(bot, observed),
        Type.ZOHO_CONNECTED: _zoho(bot, observed),
        Type.PIPELINE_HEALTHY: _pipeline(observed),
    }
    if observed.is_new:
        causes = {type_: _kept(type_, verdict, previous) for type_, verdict in causes.items()}
    ready = _ready(bot, observed, causes, previous)
    verdicts = {Type.READY: ready, **causes}
    if ready.reason in {Reason.INVALID_REFERENCE, Reason.REFUSED}:
        verdicts[Type.STALLED] = Verdict("True", ready.reason, ready.message)
    body: Object = {}
    if model := _active_model(observed) or (previous.get("activeModel") if observed.is_new else None):
        body["activeModel"] = model
    if device := _device(observed) or (previous.get("whatsapp") if observed.is_new else None):
        body["whatsapp"] = device
    if observed.pipeline is not None:
        body["counters"] = _counters(observed.pipeline)
    elif "counters" in previous:
        body["counters"] = previous["counters"]
    return make_status(verdicts, bot.generation, observed.now, previous, body)


def refuse(generation: int, message: str, now: datetime, previous: Mapping[str, Any]) -> Status:
    """The status of a bot whose spec cannot be read although the API server took it."""
    verdict = Verdict("False", Reason.INVALID_SPEC, message)
    verdicts = {Type.READY: verdict, Type.STALLED: Verdict("True", Reason.INVALID_SPEC, message)}
    return make_status(verdicts, generation, now, previous, {})


def begin(generation: int, now: datetime) -> Status:
    """The first status: without any `Ready`, `helm --wait` would take the bot for finished."""
    waiting = Verdict("False", Reason.PROGRESSING, "the operator has begun")
    return make_status({Type.READY: waiting}, generation, now, {}, {})


def fail(error: Exception, resource: Object, now: datetime) -> Status:
    """The status of a bot over which the operator itself stumbles."""
    previous, generation = resource.get("status") or {}, resource["metadata"]["generation"]
    message = f"the operator failed ({type(error).__name__}); its log tells more"
    status = make_status({Type.READY: Verdict("False", Reason.FAILED, message)}, generation, now, previous, {})
    others = [one for one in previous.get("conditions", ()) if one["type"] != Type.READY]
    return replace(status, body={**previous, **status.body, "conditions": [*status.body["conditions"], *others]})


def is_settled(status: Status) -> bool:
    """Whether nothing is on its way: only an event can change something."""
    waits = {Reason.PROGRESSING, Reason.INVALID_REFERENCE, Reason.NATS_UNREACHABLE, Reason.DEGRADED, Reason.UNREACHABLE}
    return ready_condition(status.body)["reason"] not in waits


def unsettled_s(status: Status, now: datetime) -> float:
    """For how long `Ready` has been as it is."""
    return (now - datetime.fromisoformat(ready_condition(status.body)["lastTransitionTime"])).total_seconds()


def _kept(type_: Type, verdict: Verdict, previous: Mapping[str, Any]) -> Verdict:
    """The verdict of before, if there is one: what is known so far is only of the operator's own start."""
    for one in previous.get("conditions", ()):
        if one["type"] == type_:
            return Verdict(one["status"], one["reason"], one["message"])
    return verdict


def _ready(bot: Bot, observed: Observed, causes: Mapping[Type, Verdict], previous: Mapping[str, Any]) -> Verdict:
    """True, or the first cause in a fixed order; its message names the object and the next step."""
    if bot.spec.paused:
        return Verdict("False", Reason.PAUSED, "set spec.paused to false to go on; messages wait meanwhile")
    if observed.missing:
        return Verdict("False", Reason.INVALID_REFERENCE, _say_missing(observed.missing))
    if observed.refused:
        return Verdict("False", Reason.REFUSED, observed.refused)
    for type_ in (Type.WHATSAPP_LINKED, Type.MODELS_AVAILABLE, Type.ZOHO_CONNECTED, Type.PIPELINE_HEALTHY):
        if causes[type_].status == "False":
            return Verdict("False", causes[type_].reason, f"{type_}: {causes[type_].message}")
    if observed.unreachable:
        return Verdict("False", Reason.UNREACHABLE, observed.unreachable)
    if waiting := sorted(name for name, state in map(_rollout, observed.workloads) if state):
        is_rolling = any(state == "rolling" for _, state in map(_rollout, observed.workloads))
        reason = Reason.DEGRADED if _was_ready(bot, previous) and not is_rolling else Reason.PROGRESSING
        return Verdict("False", reason, f"waiting for the pods of {', '.join(waiting)}")
    if len(observed.workloads) < len(Component):
        return Verdict("False", Reason.PROGRESSING, "waiting for the workloads to appear")
    for type_, cause in causes.items():
        if cause.status == "Unknown":
            return Verdict("False", Reason.PROGRESSING, f"{type_}: {cause.message}")
    if observed.volume_problem:
        return Verdict("True", Reason.RECONCILED, f"the volume does not grow: {observed.volume_problem}")
    return Verdict("True", Reason.RECONCILED, "messages of the groups become tickets")


def _whatsapp(bot: Bot, observed: Observed) -> Verdict:
    check = _worst(observed, Component.WHATSAPP, "whatsapp")
    if check is None:
        return Verdict("Unknown", Reason.GATEWAY_UNREACHABLE, _silent(Component.WHATSAPP))
    verdict = _verdict(check, true_when={State.OK})
    if verdict.reason in PAIRING_REASONS:
        where = say_where(bot, offered=observed.offers_pairing)
        return replace(verdict, message=f"{verdict.message}; {where}" if verdict.message else where)
    return verdict


def _device(observed: Observed) -> Object:
    """What is known of the linked device; empty while that is nothing."""
    facts = next((report.facts for report in _fresh(observed, Component.WHATSAPP, "whatsapp")), {})
    named = {"phoneNumber": facts.get("phone"), "linkedTime": facts.get("linked_at")}
    return {name: value for name, value in named.items() if value}


def _models(bot: Bot, observed: Observed) -> Verdict:
    if absent := [ref for ref in observed.missing if ref.path.startswith("spec.models")]:
        return Verdict("False", Reason.SECRET_NOT_FOUND, _say_missing(absent))
    check = _worst(observed, Component.CLASSIFIER, "models")
    if check is None and not bot.spec.models.chain:
        return Verdict("True", Reason.LOCAL_ONLY, "no model is configured; the local tiers decide")
    if check is None:
        return Verdict("Unknown", Reason.NOT_REPORTED, _silent(Component.CLASSIFIER))
    return _verdict(check, true_when={State.OK, State.DEGRADED})


def _active_model(observed: Observed) -> str | None:
    """Who decides, by the classifier that is worst off; None while none of them says so."""
    said = [one for one in _fresh(observed, Component.CLASSIFIER, "models") if one.facts.get("active_model")]
    return max(said, key=lambda one: _rank(one.checks["models"])).facts["active_model"] if said else None


def _zoho(bot: Bot, observed: Observed) -> Verdict:
    if bot.spec.zoho is None:
        return Verdict("True", Reason.SHADOW, "the bot opens no tickets: spec.zoho is not set")
    if absent := [ref for ref in observed.missing if ref.path.startswith("spec.zoho")]:
        return Verdict("False", Reason.SECRET_NOT_FOUND, _say_missing(absent))
    check = _worst(observed, Component.TICKET, "zoho")
    if check is None and _worst(observed, Component.TICKET, "process") is not None and bot.spec.mode.value == "Shadow":
        return Verdict("True", Reason.SHADOW, "the bot opens no tickets: spec.mode is Shadow")
    if check is None:
        return Verdict("Unknown", Reason.NOT_REPORTED, _silent(Component.TICKET))
    return _verdict(check, true_when={State.OK})


def _pipeline(observed: Observed) -> Verdict:
    if observed.broker_problem is not None:
        reason, message = observed.broker_problem
        return Verdict("False", reason, message)
    buses = [(component, bus) for component in Component if (bus := _worst(observed, component, "bus")) is not None]
    bad = [(component, bus) for component, bus in buses if bus.state in {State.DOWN, State.DEGRADED}]
    # What lasts before what passes.
    for component, bus in sorted(bad, key=lambda one: one[1].reason in _PASSING):
        status = "Unknown" if bus.reason in _PASSING else "False"
        return Verdict(status, bus.reason or Reason.NATS_UNREACHABLE, f"{component}: {bus.message}")
    pipeline = observed.pipeline
    if pipeline is None:
        return Verdict("Unknown", Reason.NOT_REPORTED, "the streams have not been looked at yet")
    if pipeline.unaccounted:
        message = f"{pipeline.unaccounted} received messages have no outcome; the logs of the services tell more"
        return Verdict("False", Reason.UNACCOUNTED, message)
    if pipeline.waiting_dead_letters:
        message = f"{pipeline.waiting_dead_letters} messages could not be processed; `supportbot dlq list` shows them"
        return Verdict("False", Reason.DEAD_LETTERING, message)
    sends = _worst(observed, Component.WHATSAPP, "sends")
    if sends is not None and sends.state is State.DEGRADED:
        return Verdict("False", sends.reason or "SendsPaused", sends.message)
    is_quiet = sends is not None and sends.reason == QUIET_HOURS
    waiting = [pipeline.backlogged_since, None if is_quiet else pipeline.unanswered_since]
    if (oldest := min((at for at in waiting if at is not None), default=None)) is not None:
        since = format_time(oldest)
        return Verdict("False", Reason.BACKLOGGED, f"a message has been waiting since {since}")
    if sends is not None and is_quiet:
        return Verdict("True", QUIET_HOURS, sends.message)
    return Verdict("True", Reason.FLOWING)


def _worst(observed: Observed, component: Component, name: str) -> Check | None:
    """The worst of what the service's processes say now; None when none of them says anything."""
    checks = [report.checks[name] for report in _fresh(observed, component, name)]
    return max(checks, key=_rank) if checks else None


def _fresh(observed: Observed, component: Component, name: str) -> Sequence[Report]:
    """What the service's processes say now, if it is about `name`."""
    return [
        report
        for report in observed.reports
        if report.service == component.value and name in report.checks and is_fresh(report, observed.now)
    ]


def is_fresh(report: Report, now: datetime) -> bool:
    """Whether a report says something about now."""
    return now - report.at <= REPORT_LASTS


def _rank(check: Check) -> int:
    """The higher the worse."""
    return [State.OK, State.DEGRADED, State.UNKNOWN, State.DOWN].index(check.state)


def _verdict(check: Check, *, true_when: Iterable[State]) -> Verdict:
    if check.state is State.UNKNOWN:
        return Verdict("Unknown", check.reason or Reason.NOT_REPORTED, check.message or "not looked at yet")
    status = "True" if check.state in set(true_when) else "False"
    return Verdict(status, check.reason or ("OK" if status == "True" else "NotOK"), check.message)


def _rollout(workload: Object) -> tuple[str, str]:
    """The workload's name, and how it is: `rolling` to its newest version, `unready`, or empty when all is well."""
    meta, spec, status = workload["metadata"], workload["spec"], workload.get("status", {})
    wanted = spec.get("replicas", 1)
    is_current = status.get("observedGeneration", 0) >= meta.get("generation", 0)
    is_whole = status.get("updatedReplicas", 0) >= wanted and status.get("replicas", 0) <= wanted
    if not (is_current and is_whole):
        return meta["name"], "rolling"
    return meta["name"], "" if status.get("readyReplicas", 0) >= wanted else "unready"


def _was_ready(bot: Bot, previous: Mapping[str, Any]) -> bool:
    """Whether the bot has been Ready as it is now specified."""
    ready = ready_condition(previous)
    is_known = ready.get("status") == "True" or ready.get("reason") == Reason.DEGRADED
    return is_known and ready.get("observedGeneration") == bot.generation


def _say_missing(missing: Sequence[SecretKey]) -> str:
    by_secret: dict[str, list[str]] = {}
    for ref in missing:
        by_secret.setdefault(ref.name, []).append(ref.key)
    parts = (f"Secret {name} lacks {', '.join(dict.fromkeys(keys))}" for name, keys in by_secret.items())
    return f"{'; '.join(parts)}; create it in the bot's namespace"


def _silent(component: Component) -> str:
    return f"no {component} process has reported within {REPORT_LASTS.seconds} s"


def _counters(pipeline: Pipeline) -> Object:
    counters: Object = {
        "messagesReceived": pipeline.received,
        "ticketsCreated": pipeline.tickets,
        "deadLettered": pipeline.dead_lettered,
        "unaccounted": pipeline.unaccounted,
    }
    if pipeline.updated_at is not None:
        counters["updateTime"] = format_time(pipeline.updated_at)
    return counters

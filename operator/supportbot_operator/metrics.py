"""The operator's own metrics; conditions are gauges by reason, so that an alert can name the cause."""

from collections.abc import Sequence

from prometheus_client import Counter, Gauge, Histogram

from supportbot_operator.kube import Object

DURATION_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)

RECONCILES = Counter("supportbot_operator_reconcile_total", "Reconciles: ok, retry, error.", ["outcome"])
RECONCILE_DURATION = Histogram(
    "supportbot_operator_reconcile_duration_seconds",
    "Duration of one reconcile.",
    ["outcome"],
    buckets=DURATION_BUCKETS,
)
QUEUE_DEPTH = Gauge("supportbot_operator_queue_depth", "Bots that wait for a reconcile.")
LEADER = Gauge("supportbot_operator_leader", "1 on the replica that works.")
LAST_SUCCESS = Gauge("supportbot_operator_last_success_timestamp_seconds", "When a reconcile last succeeded.")
RESOURCES = Gauge("supportbot_operator_resources", "SupportBots in the watched namespaces.")
CONDITION = Gauge(
    "supportbot_operator_condition",
    "1 for the status that a condition of a bot has: True, False, Unknown.",
    ["namespace", "bot", "condition", "status"],
)
ORPHANS = Gauge("supportbot_operator_orphaned_bots", "Bots that are gone and whose streams are still kept.")
APPLIES = Counter("supportbot_operator_applies_total", "Objects applied; most of them change nothing.")

_STATUSES = ("True", "False", "Unknown")


def start() -> None:
    """Bring the counters that alerts watch to life at 0."""
    for outcome in ("ok", "retry", "error"):
        RECONCILES.labels(outcome)


def observe_reconcile(outcome: str, seconds: float) -> None:
    """Count one reconcile."""
    RECONCILES.labels(outcome).inc()
    RECONCILE_DURATION.labels(outcome).observe(seconds)
    if outcome == "ok":
        LAST_SUCCESS.set_to_current_time()


def show_conditions(namespace: str, bot: str, conditions: Sequence[Object]) -> None:
    """Show the conditions of a bot, and no others."""
    forget_conditions(namespace, bot)
    for condition in conditions:
        for status in _STATUSES:
            CONDITION.labels(namespace, bot, condition["type"], status).set(condition["status"] == status)


def forget_conditions(namespace: str, bot: str) -> None:
    """Show nothing of a bot that is gone."""
    CONDITION.remove_by_labels({"namespace": namespace, "bot": bot})

"""Events on a bot when a condition changes, for `kubectl describe`."""

from datetime import datetime
from uuid import uuid4

from supportbot_operator.conditions import format_time
from supportbot_operator.kube import API_VERSION, Object

COMPONENT = "supportbot-operator"
MAX_MESSAGE_CHARS = 1024

_WARNING_TYPES = {"Stalled"}


def condition_event(namespace: str, name: str, uid: str, condition: Object, now: datetime) -> Object:
    """The Event that tells of a condition's new status or reason; its type is Warning where something is wrong."""
    wrong = "True" if condition["type"] in _WARNING_TYPES else "False"
    is_wrong = condition["status"] == wrong and condition["reason"] not in {"Progressing", "Paused"}
    at = format_time(now)
    note = f"{condition['type']} is {condition['status']}: {condition['message'] or condition['reason']}"
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{name}.{uuid4().hex[:16]}", "namespace": namespace},
        "involvedObject": {
            "apiVersion": API_VERSION,
            "kind": "SupportBot",
            "namespace": namespace,
            "name": name,
            "uid": uid,
        },
        "type": "Warning" if is_wrong else "Normal",
        "reason": condition["reason"],
        "message": note[:MAX_MESSAGE_CHARS],
        "firstTimestamp": at,
        "lastTimestamp": at,
        "count": 1,
        "source": {"component": COMPONENT},
        "reportingComponent": COMPONENT,
        "reportingInstance": COMPONENT,
    }

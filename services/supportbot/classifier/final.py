"""Decisions as they stood at the end: a photo that waited, and then joined an incident, is its evidence. For replay."""

from collections.abc import Iterable

from supportbot.contracts import Decision, TrailEntry


def final_decisions(entries: Iterable[TrailEntry]) -> dict[str, Decision]:
    """Each message's last decision by the classifier, by `message_ref`, in the order of the first one.

    Args:
        entries: The trail in its order.
    """
    decisions: dict[str, Decision] = {}
    for entry in entries:
        if entry.stage == "classifier" and entry.decision is not None:
            decisions[entry.message_ref] = entry.decision
    return decisions

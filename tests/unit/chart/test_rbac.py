"""Who may do what: the roles are exactly these tables."""

from collections.abc import Iterable

import pytest
from tests.unit.chart.render import NAMESPACE, PROFILES, RELEASE, Object, one, profile, render

READ = ("get", "list", "watch")
KEEP = ("list", "watch", "create", "patch", "delete")

FOR_BOTS = {
    "supportbot.dev/supportbots": READ,
    "supportbot.dev/supportbots/status": ("patch",),
    "apps/deployments": KEEP,
    "apps/statefulsets": KEEP,
    "services": KEEP,
    "configmaps": KEEP,
    "serviceaccounts": KEEP,
    "networking.k8s.io/networkpolicies": KEEP,
    "policy/poddisruptionbudgets": KEEP,
    "monitoring.coreos.com/podmonitors": ("get", "create", "patch", "delete"),
    "secrets": ("get", "create", "patch"),
    "persistentvolumeclaims": ("get", "patch"),
    "events": ("create",),
}
BESIDE_ITSELF = {
    "coordination.k8s.io/leases": ("create",),
    "coordination.k8s.io/leases supportbot-operator": ("get", "update"),
    "apps/deployments supportbot-operator": ("get",),
    "secrets supportbot-keys,supportbot-nats-auth,supportbot-nats-check": ("get", "patch"),
}
DEMO_BOT = {
    "supportbot.dev/supportbots": ("create",),
    "supportbot.dev/supportbots demo": ("patch",),
    "secrets": ("create",),
    "secrets demo-zoho": ("patch",),
    "apps/deployments supportbot-demo": ("get",),
}


def table(role: Object) -> dict[str, tuple[str, ...]]:
    """`group/resource names` → verbs."""
    found: dict[str, tuple[str, ...]] = {}
    for rule in role["rules"]:
        names = ",".join(rule.get("resourceNames", []))
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                key = (f"{group}/" if group else "") + resource + (f" {names}" if names else "")
                assert key not in found
                found[key] = tuple(rule["verbs"])
    return found


def kinds(objects: Iterable[Object], *names: str) -> list[Object]:
    """The objects of these kinds."""
    return [obj for obj in objects if obj["kind"] in names]


def test_the_operator_in_the_whole_cluster() -> None:
    objects = profile("default")
    assert table(one(objects, "ClusterRole", "supportbot-operator-bots")) == FOR_BOTS
    binding = one(objects, "ClusterRoleBinding", "supportbot-operator-bots")
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "supportbot-operator", "namespace": NAMESPACE}]
    assert binding["roleRef"]["name"] == "supportbot-operator-bots"


def test_the_operator_beside_itself() -> None:
    role = one(profile("default"), "Role", "supportbot-operator")
    assert table(role) == BESIDE_ITSELF
    assert role["metadata"]["namespace"] == NAMESPACE


def test_the_operator_in_some_namespaces() -> None:
    objects = profile("namespaced")
    assert kinds(objects, "ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition") == []
    roles = [role for role in kinds(objects, "Role") if role["metadata"]["name"] == "supportbot-operator-bots"]
    assert {role["metadata"]["namespace"] for role in roles} == {"shops", "clinics"}
    assert all(table(role) == FOR_BOTS for role in roles)
    bindings = [one for one in kinds(objects, "RoleBinding") if one["metadata"]["namespace"] != NAMESPACE]
    assert {binding["metadata"]["namespace"] for binding in bindings} == {"shops", "clinics"}
    assert all(binding["subjects"][0]["namespace"] == NAMESPACE for binding in bindings)


def test_the_release_namespace_is_the_default_of_the_namespace_scope() -> None:
    roles = kinds(render(values={"rbac": {"scope": "namespace"}}), "Role")
    assert sorted((role["metadata"]["namespace"], role["metadata"]["name"]) for role in roles) == [
        (NAMESPACE, "supportbot-operator"),
        (NAMESPACE, "supportbot-operator-bots"),
    ]


def test_secrets_of_others_are_only_read() -> None:
    role = one(profile("external-nats"), "Role", "supportbot-operator")
    assert table(role) == {
        "coordination.k8s.io/leases": ("create",),
        "coordination.k8s.io/leases supportbot-operator": ("get", "update"),
        "apps/deployments supportbot-operator": ("get",),
        "secrets supportbot-keys,supportbot-nats-check": ("get", "patch"),
        "secrets shared-nats": ("get",),
    }


def test_people() -> None:
    objects = profile("default")
    view, edit = (one(objects, "ClusterRole", f"supportbot-{name}") for name in ("view", "edit"))
    assert table(view) == {"supportbot.dev/supportbots": READ, "supportbot.dev/supportbots/status": READ}
    assert table(edit) == {
        "supportbot.dev/supportbots": ("create", "update", "patch", "delete", "deletecollection"),
    }
    prefix = "rbac.authorization.k8s.io/aggregate-to-"
    into = [
        {label.removeprefix(prefix) for label in role["metadata"]["labels"] if prefix in label} for role in (view, edit)
    ]
    assert into == [{"view", "edit", "admin"}, {"edit", "admin"}]


def test_the_maker_of_the_demo_bot() -> None:
    assert table(one(profile("demo"), "Role", "supportbot-demo-bot")) == DEMO_BOT


@pytest.mark.parametrize("name", PROFILES)
def test_no_wildcard_and_no_list_of_secrets(name: str) -> None:
    for role in kinds(profile(name), "Role", "ClusterRole"):
        for rule in role["rules"]:
            assert "*" not in [*rule["apiGroups"], *rule["resources"], *rule["verbs"]]
            if "secrets" in rule["resources"]:
                assert not {"list", "watch"} & set(rule["verbs"])
            assert not {"escalate", "bind", "impersonate"} & set(rule["verbs"])


def test_without_rbac_there_is_none() -> None:
    objects = render(values={"rbac": {"create": False}, "demo": {"enabled": True}})
    assert kinds(objects, "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding") == []


def test_an_account_of_ones_own() -> None:
    objects = render(values={"serviceAccount": {"create": False, "name": "mine"}})
    assert "mine" not in {obj["metadata"]["name"] for obj in kinds(objects, "ServiceAccount")}
    assert one(objects, "Deployment", "supportbot-operator")["spec"]["template"]["spec"]["serviceAccountName"] == "mine"
    subjects = [obj["subjects"] for obj in kinds(objects, "RoleBinding", "ClusterRoleBinding")]
    assert subjects == [[{"kind": "ServiceAccount", "name": "mine", "namespace": NAMESPACE}]] * 2
    assert RELEASE not in {subject["name"] for (subject,) in subjects}

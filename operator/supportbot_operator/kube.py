"""The only caller of the Kubernetes API: plain objects in, plain objects out, one request each.

Writes are server-side applies by one field manager with force: fields that are not sent any more vanish, fields of
others stay, and an apply that changes nothing writes nothing. The manager's name must never change.
"""

import base64
import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from kubernetes.aio import config as kube_config
from kubernetes.aio.client import ApiClient, Configuration

from supportbot.errors import PermanentError, TemporaryError, UserError

FIELD_MANAGER = "supportbot-operator"
TIMEOUT_S = 30.0
GROUP, VERSION = "supportbot.dev", "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"

Object = dict[str, Any]

_PLURALS = {
    (API_VERSION, "SupportBot"): "supportbots",
    ("v1", "ConfigMap"): "configmaps",
    ("v1", "Secret"): "secrets",
    ("v1", "Service"): "services",
    ("v1", "ServiceAccount"): "serviceaccounts",
    ("v1", "PersistentVolumeClaim"): "persistentvolumeclaims",
    ("v1", "Event"): "events",
    ("apps/v1", "Deployment"): "deployments",
    ("apps/v1", "StatefulSet"): "statefulsets",
    ("networking.k8s.io/v1", "NetworkPolicy"): "networkpolicies",
    ("policy/v1", "PodDisruptionBudget"): "poddisruptionbudgets",
    ("monitoring.coreos.com/v1", "PodMonitor"): "podmonitors",
    ("coordination.k8s.io/v1", "Lease"): "leases",
}

_APPLY = "application/apply-patch+yaml"
_MERGE = "application/merge-patch+json"
_OUR_FAULT = "failed to create typed patch object"
"""How the API server says, with status 500, that the applied object itself is wrong."""


class NotFoundError(PermanentError):
    """The object, or its whole kind, or whoever should answer, does not exist.

    Args:
        message: What was asked.
        name: Of the object that the API server says is missing; empty where it is something else.
    """

    def __init__(self, message: str, *, name: str = "") -> None:
        super().__init__(message, reason="not_found")
        self._name = name

    def is_about(self, name: str) -> bool:
        """Whether the API server itself says that this very object does not exist."""
        return bool(name) and self._name == name


class ConflictError(TemporaryError):
    """Somebody else wrote first: read again."""


class ForbiddenError(PermanentError):
    """The operator's role lacks a verb, or the namespace is being deleted."""


class Cluster:
    """The API server; made by `connect`.

    Every method raises:
        NotFoundError: 404.
        ConflictError: 409.
        ForbiddenError: 401 and 403.
        PermanentError: The object is refused; it will be until it changes.
        TemporaryError: 429, other 5xx, no answer in time; `delay_s` is the server's Retry-After.
    """

    def __init__(self, api: ApiClient) -> None:
        self._api = api

    async def get(self, api_version: str, kind: str, namespace: str, name: str) -> Object:
        """One object."""
        return await self._request("GET", path_of(api_version, kind, namespace, name))

    async def list(self, api_version: str, kind: str, namespace: str | None = None, **query: str) -> list[Object]:
        """All objects of a kind, in one namespace or in all."""
        found = await self._request("GET", path_of(api_version, kind, namespace), query=query)
        items: list[Object] = found["items"]
        return items

    async def apply(self, obj: Object, *, subresource: str = "") -> Object:
        """Make the fields of `obj` so, whoever else wanted them otherwise; creates what is absent."""
        query = {"fieldManager": FIELD_MANAGER, "force": "true", "fieldValidation": "Strict"}
        return await self._request("PATCH", object_path(obj, subresource), obj, content_type=_APPLY, query=query)

    async def create(self, obj: Object) -> Object:
        """A new object; ConflictError when it exists."""
        path = path_of(obj["apiVersion"], obj["kind"], obj["metadata"]["namespace"])
        return await self._request("POST", path, obj, query={"fieldManager": FIELD_MANAGER})

    async def replace(self, obj: Object) -> Object:
        """Write the whole object; ConflictError unless it is the version that was read."""
        return await self._request("PUT", object_path(obj), obj, query={"fieldManager": FIELD_MANAGER})

    async def merge(self, api_version: str, kind: str, namespace: str, name: str, patch: Object) -> Object:
        """A merge patch (RFC 7386) of an object that must exist."""
        path = path_of(api_version, kind, namespace, name)
        return await self._request("PATCH", path, patch, content_type=_MERGE, query={"fieldManager": FIELD_MANAGER})

    async def delete(self, obj: Object) -> None:
        """Delete exactly this object (by its uid), and in the background what belongs to it."""
        options = {"propagationPolicy": "Background", "preconditions": {"uid": obj["metadata"]["uid"]}}
        await self._request("DELETE", object_path(obj), options)

    async def serves(self, api_version: str, kind: str) -> bool:
        """Whether the API server has the kind."""
        try:
            found = await self._request("GET", _root(api_version))
        except NotFoundError:
            return False
        return any(resource["kind"] == kind for resource in found["resources"])

    async def _request(
        self,
        method: str,
        path: str,
        body: Object | None = None,
        *,
        content_type: str = "application/json",
        query: Mapping[str, str] | None = None,
    ) -> Object:
        try:
            # Without auth_settings no token is sent at all.
            serialized = await self._api.param_serialize(
                method,
                path,
                query_params=list((query or {}).items()),
                body=body,
                auth_settings=["BearerToken"],
                header_params={"Content-Type": content_type, "Accept": "application/json"},
            )
            response = await self._api.call_api(*serialized, _request_timeout=TIMEOUT_S)
            text: bytes = await response.read()  # type: ignore[no-untyped-call]
        except (aiohttp.ClientError, TimeoutError, OSError) as exc:
            raise TemporaryError(f"the API server does not answer: {exc!r}") from exc
        if response.status < 400:
            answer: Object = json.loads(text or b"{}")
            return answer
        raise _error(response.status, text, response.headers.get("Retry-After"), f"{method} {path}")


def _error(status: int, text: bytes, retry_after: str | None, what: str) -> Exception:
    message = _message(text)
    said = f"{what}: {message}"
    if status == 404:
        return NotFoundError(said, name=_missing_name(text))
    if status == 409:
        return ConflictError(said)
    if status in {401, 403}:
        return ForbiddenError(said, reason="forbidden")
    if status in {400, 405, 413, 415, 422} or _OUR_FAULT in message:
        return PermanentError(said, reason="refused")
    seconds = retry_after if retry_after and retry_after.isdigit() else None
    return TemporaryError(f"{said} (status {status})", delay_s=float(seconds) if seconds else None)


def _message(text: bytes) -> str:
    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        return text[:500].decode(errors="replace") or "no reason given"


def _missing_name(text: bytes) -> str:
    try:
        answer = json.loads(text)
        is_missing = (answer["kind"], answer["reason"]) == ("Status", "NotFound")
        return str(answer["details"]["name"]) if is_missing else ""
    except (ValueError, KeyError, TypeError):
        return ""


def decode_secret(secret: Object) -> dict[str, bytes]:
    """The values of a Secret."""
    return {key: base64.b64decode(value) for key, value in (secret.get("data") or {}).items()}


def encode_secret(values: Mapping[str, str]) -> dict[str, str]:
    """Values as the `data` of a Secret. Not `stringData`: the API server empties it, so that no apply were a no-op."""
    return {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}


def object_path(obj: Object, subresource: str = "") -> str:
    """The path of an object, or of its subresource."""
    meta = obj["metadata"]
    path = path_of(obj["apiVersion"], obj["kind"], meta["namespace"], meta["name"])
    return f"{path}/{subresource}" if subresource else path


def path_of(api_version: str, kind: str, namespace: str | None, name: str | None = None) -> str:
    """The path of a collection or an object. Raises KeyError for a kind that the operator does not know."""
    plural = _PLURALS[api_version, kind]
    scope = f"/namespaces/{namespace}" if namespace else ""
    return f"{_root(api_version)}{scope}/{plural}" + (f"/{name}" if name else "")


def _root(api_version: str) -> str:
    return f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"


@asynccontextmanager
async def connect(kubeconfig: str | None = None) -> AsyncIterator[Cluster]:
    """The cluster that the process runs in, or the one of a file; without either that of KUBECONFIG.

    Raises:
        UserError: There is neither.
    """
    configuration = Configuration()
    if kubeconfig is None and "KUBERNETES_SERVICE_HOST" in os.environ:
        kube_config.load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
    else:
        try:
            await kube_config.load_kube_config(kubeconfig, client_configuration=configuration)  # type: ignore[no-untyped-call]
        except kube_config.ConfigException as exc:
            raise UserError(f"neither in a cluster nor with a usable KUBECONFIG: {exc}") from exc
    async with ApiClient(configuration) as api:
        yield Cluster(api)

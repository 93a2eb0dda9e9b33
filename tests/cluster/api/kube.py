"""A client for tests: plain dicts in and out. Not the operator's own, so that it shares no fault with it."""

import asyncio
import json
import re
import ssl
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx

Object = dict[str, Any]

APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
DISCOVERY = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


class Refused(Exception):  # noqa: N818 -- reads as what happened.
    """The API server answered with an error.

    Args:
        status: The HTTP status.
        body: The `Status` object.
    """

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        super().__init__(f"{status} {body.get('reason')}: {body.get('message')}")
        self.status = status
        self.body = body

    @property
    def message(self) -> str:
        return str(self.body.get("message", ""))

    @property
    def causes(self) -> list[tuple[str, str]]:
        """Field and message of each fault that it names."""
        causes = self.body.get("details", {}).get("causes", [])
        return [(cause.get("field", ""), cause.get("message", "")) for cause in causes]

    @property
    def places(self) -> set[str]:
        """The fields that it names, those included that only the sentence of a strict decoder mentions."""
        unknown = re.findall(r'(?:unknown|duplicate) field "([^"]+)"', self.message)
        # "<nil>" is a note that rules were left out, as the schema refused the object.
        return {field for field, _ in self.causes if field not in ("", "<nil>")} | set(unknown)


@dataclass(frozen=True)
class _Resource:
    prefix: str
    plural: str
    namespaced: bool

    def path(self, namespace: str = "", name: str = "", subresource: str = "") -> str:
        within = f"/namespaces/{namespace}" if self.namespaced and namespace else ""
        return "/".join(filter(None, [f"{self.prefix}{within}/{self.plural}", name, subresource]))


class Kube:
    """`async with Kube(url, tls, token) as kube`. A kind is named `Deployment`, or `events.k8s.io/v1/Event` in full.

    Args:
        url: The API server's.
        tls: Trusts its certificate.
        token: Bearer token of the user.
    """

    def __init__(self, url: str, tls: ssl.SSLContext, token: str) -> None:
        self.url, self._tls = url, tls
        self._resources: dict[str, _Resource] = {}
        self._http = httpx.AsyncClient(
            base_url=url, verify=tls, headers={"Authorization": f"Bearer {token}"}, timeout=30.0, trust_env=False
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    def as_user(self, token: str) -> "Kube":
        """The same cluster for another user, such as a ServiceAccount; to be closed by the caller."""
        return Kube(self.url, self._tls, token)

    async def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        content_type: str = "application/json",
        accept: str = "application/json",
        **query: str,
    ) -> Object:
        """One request; `path` as in the API's reference.

        Raises:
            Refused: An HTTP status of 400 or more.
        """
        response = await self._http.request(
            method,
            path,
            params=query,
            content=None if body is None else json.dumps(body),
            headers={"Content-Type": content_type, "Accept": accept},
        )
        found = response.json() if response.content.startswith(b"{") else {"message": response.text}
        if response.is_error:
            raise Refused(response.status_code, found)
        assert isinstance(found, dict)
        return found

    async def create(self, obj: Object, **query: str) -> Object:
        path = (await self._of(obj)).path(_namespace(obj))
        return await self.request("POST", path, obj, fieldValidation="Strict", **query)

    async def replace(self, obj: Object, **query: str) -> Object:
        """PUT of the whole object, as `kubectl edit` and `kubectl replace` do."""
        return await self.request("PUT", await self._path(obj), obj, fieldValidation="Strict", **query)

    async def apply(
        self, obj: Object, *, manager: str = "test", force: bool = True, subresource: str = "", **query: str
    ) -> Object:
        """Server-side apply with strict field validation; `dryRun="All"` stores nothing."""
        query |= {"fieldManager": manager, "force": str(force).lower(), "fieldValidation": "Strict"}
        return await self.request("PATCH", await self._path(obj, subresource), obj, content_type=APPLY, **query)

    async def merge(self, kind: str, name: str, namespace: str, patch: Object, *, subresource: str = "") -> Object:
        """A JSON merge patch: null removes."""
        path = (await self._resource(kind)).path(namespace, name, subresource)
        return await self.request("PATCH", path, patch, content_type=MERGE, fieldValidation="Strict")

    async def get(self, kind: str, name: str, namespace: str = "") -> Object:
        return await self.request("GET", (await self._resource(kind)).path(namespace, name))

    async def list_all(self, kind: str, namespace: str = "", *, labels: str = "") -> list[Object]:
        """All objects of a kind, in all namespaces when none is given; `labels` is a selector."""
        return (await self._list(kind, namespace, labelSelector=labels))[0]

    async def delete(self, kind: str, name: str, namespace: str = "") -> None:
        await self.request("DELETE", (await self._resource(kind)).path(namespace, name))

    async def delete_all(self, kind: str, namespace: str) -> None:
        await self.request("DELETE", (await self._resource(kind)).path(namespace))

    async def knows(self, kind: str) -> bool:
        """Whether the API server serves the kind."""
        try:
            await self._resource(kind)
        except LookupError:
            return False
        return True

    async def watch(self, kind: str, namespace: str = "", **query: str) -> AsyncGenerator[Object, None]:
        """Events `{type, object}`: one ADDED for each object that exists, then what happens, until the server ends it.

        Use with `contextlib.aclosing` when the loop may be left early.
        """
        path = (await self._resource(kind)).path(namespace)
        async with self._http.stream("GET", path, params={"watch": "1", **query}, timeout=None) as response:
            if response.is_error:
                raise Refused(response.status_code, json.loads(await response.aread()))
            async for line in response.aiter_lines():
                yield json.loads(line)

    async def until(
        self, kind: str, name: str, namespace: str, holds: Callable[[Object], bool], *, timeout_s: float = 10.0
    ) -> Object:
        """The object as soon as the condition holds for it; an absent object is `{}`.

        Raises:
            AssertionError: It does not in time; the message shows the object.
        """

        def of_one(objects: Mapping[str, Object]) -> bool:
            return holds(objects.get(name, {}))

        found = await self.until_all(
            kind, namespace, of_one, timeout_s=timeout_s, fieldSelector=f"metadata.name={name}"
        )
        return found.get(name, {})

    async def until_all(
        self,
        kind: str,
        namespace: str,
        hold: Callable[[Mapping[str, Object]], bool],
        *,
        timeout_s: float = 10.0,
        **query: str,
    ) -> Mapping[str, Object]:
        """The objects of a namespace by name as soon as the condition holds for all together.

        Args:
            kind: Their kind.
            namespace: Theirs; names of several namespaces would collide.
            hold: The condition.
            timeout_s: How long it may take.
            query: `labelSelector`, `fieldSelector`.

        Raises:
            AssertionError: It does not in time; the message shows the objects.
        """
        listed, version = await self._list(kind, namespace, **query)
        objects = {_name(obj): obj for obj in listed}
        if hold(objects):
            return objects
        try:
            async with (
                asyncio.timeout(timeout_s),
                aclosing(self.watch(kind, namespace, resourceVersion=version, **query)) as events,
            ):
                async for event in events:
                    _note(objects, event)
                    if hold(objects):
                        return objects
        except TimeoutError:
            pass
        raise AssertionError(f"not within {timeout_s} s; {kind} in {namespace}: {json.dumps(objects, indent=1)}")

    async def token(self, service_account: str, namespace: str, *, expiration_s: int = 3600) -> str:
        """A bearer token of a ServiceAccount, by TokenRequest."""
        path = (await self._resource("ServiceAccount")).path(namespace, service_account, "token")
        request = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": expiration_s},
        }
        return str((await self.request("POST", path, request))["status"]["token"])

    async def _list(self, kind: str, namespace: str, **query: str) -> tuple[list[Object], str]:
        path = (await self._resource(kind)).path(namespace)
        found = await self.request("GET", path, **{key: value for key, value in query.items() if value})
        return found["items"], found["metadata"]["resourceVersion"]

    async def _path(self, obj: Object, subresource: str = "") -> str:
        return (await self._of(obj)).path(_namespace(obj), _name(obj), subresource)

    async def _of(self, obj: Object) -> _Resource:
        return await self._resource(f"{obj['apiVersion']}/{obj['kind']}")

    async def _resource(self, kind: str) -> _Resource:
        if kind not in self._resources:
            for root in ("/api", "/apis"):
                _read_discovery(await self.request("GET", root, accept=DISCOVERY), self._resources)
        try:
            return self._resources[kind]
        except KeyError:
            raise LookupError(f"the API server serves no {kind}") from None


def _read_discovery(found: Object, resources: dict[str, _Resource]) -> None:
    """Fills in kinds, in the server's order of preference."""
    for group in found["items"]:
        name = group["metadata"].get("name", "")
        for version in group["versions"]:
            api_version = f"{name}/{version['version']}" if name else version["version"]
            for entry in version["resources"]:
                kind = entry["responseKind"]["kind"]
                prefix = f"/apis/{api_version}" if name else f"/api/{api_version}"
                resource = _Resource(prefix, entry["resource"], entry["scope"] == "Namespaced")
                resources[f"{api_version}/{kind}"] = resource
                resources.setdefault(kind, resource)


def _note(objects: dict[str, Object], event: Object) -> None:
    match event["type"]:
        case "ADDED" | "MODIFIED":
            objects[_name(event["object"])] = event["object"]
        case "DELETED":
            objects.pop(_name(event["object"]), None)
        case _:
            raise AssertionError(f"the watch broke: {event}")


def _name(obj: Object) -> str:
    return str(obj["metadata"]["name"])


def _namespace(obj: Object) -> str:
    return str(obj["metadata"].get("namespace", ""))

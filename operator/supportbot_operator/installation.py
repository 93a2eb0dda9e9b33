"""What an installation has beside its bots: the master key, the keys and the certificate of its own NATS.

The chart brings empty Secrets, so that nothing random is rendered by Helm or by whatever stands for it, and the
operator may touch these and no others. NATS' pods wait until the keys are there.
"""

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

import structlog

from supportbot.errors import PermanentError, TemporaryError, UserError
from supportbot_operator.authority import BrokerAuthority, external_authority, own_authority, own_server_part
from supportbot_operator.certificates import ca_certificate, fits, issue, needs_renewal
from supportbot_operator.config import OperatorConfig
from supportbot_operator.keys import MASTER_KEY_BYTES, Keys, parse_master_key
from supportbot_operator.kube import ConflictError, NotFoundError, Object, decode_secret, encode_secret

MASTER_KEY = "master-key"
LOOK_AGAIN_S = 300.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Installation:
    """What every reconcile needs and no resource says."""

    keys: Keys
    authority: BrokerAuthority

    @property
    def name(self) -> str:
        """What tells it from every other installation, though they may share a broker."""
        return self.keys.derive("installation").hex()[:16]


class API(Protocol):
    """What of the cluster is needed; `kube.Cluster` says what is raised."""

    async def get(self, api_version: str, kind: str, namespace: str, name: str) -> Object:
        """One object."""

    async def apply(self, obj: Object, *, subresource: str = "") -> Object:
        """Make the fields of the object so."""

    async def merge(self, api_version: str, kind: str, namespace: str, name: str, patch: Object) -> Object:
        """A merge patch."""


async def keep_prepared(api: API, config: OperatorConfig, namespace: str, installation: Installation) -> None:
    """Look again and again: refill what somebody emptied, renew the certificate in time.

    Returns once the installation is another, say because its keys were restored: the process must begin anew.
    """
    while True:
        await asyncio.sleep(LOOK_AGAIN_S)
        try:
            found = await prepare(api, config, namespace)
        except (TemporaryError, PermanentError) as exc:
            log.warning("installation_not_looked_at", error=str(exc))
            continue
        if found != installation:
            log.error("installation_changed")
            return


async def prepare(api: API, config: OperatorConfig, namespace: str) -> Installation:
    """Read the installation's secrets, and make those that are not there yet. Run by the leader only.

    Raises:
        PermanentError: The API server refuses; the chart's Secrets or the role are not as they should be.
        TemporaryError: The API server does not answer.
        UserError: A Secret holds something that cannot be used.
    """
    keys = await _master_key(api, namespace, config.keys_secret)
    if not config.nats.managed:
        secret = await _read(api, namespace, config.nats.auth_secret) if config.nats.auth_secret else {}
        authority: BrokerAuthority = external_authority(keys, config, secret)
    else:
        authority = own_authority(keys, config, await _read_given_ca(api, namespace, config))
        await _fill_server_secret(api, namespace, config, keys)
    if config.nats.check_secret:
        values = {"nats.creds": authority.check_credentials(), "ca.crt": authority.ca}
        await _fill(api, namespace, config.nats.check_secret, values)
    return Installation(keys=keys, authority=authority)


async def _master_key(api: API, namespace: str, name: str) -> Keys:
    """The key that everything follows from; made once, and never again while it is there."""
    held = await _read(api, namespace, name)
    if MASTER_KEY not in held:
        fresh = secrets.token_hex(MASTER_KEY_BYTES)
        try:
            # A merge patch with the version: of two that start at once one makes the key, and the other reads it.
            version = (await api.get("v1", "Secret", namespace, name))["metadata"]["resourceVersion"]
            patch = {"metadata": {"resourceVersion": version}, "data": encode_secret({MASTER_KEY: fresh})}
            await api.merge("v1", "Secret", namespace, name, patch)
            log.info("master_key_made", object=name)
        except ConflictError:
            log.info("master_key_made_by_another")
        held = await _read(api, namespace, name)
    try:
        return parse_master_key(held[MASTER_KEY])
    except (KeyError, ValueError, UnicodeDecodeError) as exc:
        raise UserError(
            f"Secret {name}, key {MASTER_KEY} does not hold 64 hex characters; restore it from a backup, or delete the "
            "key to have a new one made (all references and credentials then change)"
        ) from exc


async def _read_given_ca(api: API, namespace: str, config: OperatorConfig) -> str | None:
    """The authority of a certificate that somebody else makes; None when the operator makes it."""
    name = config.nats.tls_secret
    if name is None:
        return None
    held = await _read(api, namespace, name)
    if "ca.crt" not in held:
        raise UserError(f"Secret {name} has no key ca.crt: bots need it to know NATS")
    return held["ca.crt"].decode(errors="replace")


async def _fill_server_secret(api: API, namespace: str, config: OperatorConfig, keys: Keys) -> None:
    assert config.nats.auth_secret is not None
    values = {"auth.conf": own_server_part(keys)}
    if config.nats.has_tls and config.nats.tls_secret is None:
        held = await _read(api, namespace, config.nats.auth_secret)
        values |= _server_certificate(held, config, keys)
    await _fill(api, namespace, config.nats.auth_secret, values)


def _server_certificate(held: Mapping[str, bytes], config: OperatorConfig, keys: Keys) -> dict[str, str]:
    """The files that the Secret holds, or new ones where they are not whole, for other names, or near their end."""
    seed, now = keys.derive("nats-ca"), datetime.now(UTC)
    text = {name: held.get(name, b"").decode(errors="replace") for name in ("ca.crt", "tls.crt", "tls.key")}
    is_ours = text["ca.crt"] == ca_certificate(seed) and fits(text["tls.crt"], text["tls.key"])
    if is_ours and not needs_renewal(text["tls.crt"], text["ca.crt"], config.nats.server_names, now):
        return text
    made = issue(seed, config.nats.server_names, now)
    log.info("nats_certificate_made", names=list(config.nats.server_names))
    return {"ca.crt": made.ca, "tls.crt": made.certificate, "tls.key": made.key}


async def _read(api: API, namespace: str, name: str) -> dict[str, bytes]:
    try:
        return decode_secret(await api.get("v1", "Secret", namespace, name))
    except NotFoundError as exc:
        message = f"Secret {name} is not in namespace {namespace}; the chart makes it: run `helm upgrade`"
        raise PermanentError(message, reason="not_found") from exc


async def _fill(api: API, namespace: str, name: str, values: Mapping[str, str]) -> None:
    secret: Object = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace},
        "data": encode_secret(values),
    }
    await api.apply(secret)

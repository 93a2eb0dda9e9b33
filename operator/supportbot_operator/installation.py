"""What an installation has beside its bots: the master key, the keys and the certificate of its own NATS.

The chart brings empty Secrets, so that nothing random is rendered by Helm or by whatever stands for it, and the
operator may touch these and no others. NATS' pods wait until the keys are there.
"""

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from supportbot.errors import PermanentError, UserError
from supportbot_operator.authority import BrokerAuthority, external_authority, own_authority, own_server_part
from supportbot_operator.certificates import ca_certificate, issue, needs_renewal
from supportbot_operator.config import OperatorConfig
from supportbot_operator.keys import MASTER_KEY_BYTES, Keys, parse_master_key
from supportbot_operator.kube import ConflictError, NotFoundError, Object
from supportbot_operator.reconcile import API, decode

MASTER_KEY = "master-key"

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
            patch = {"metadata": {"resourceVersion": version}, "data": {MASTER_KEY: _base64(fresh)}}
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
        ca, now = ca_certificate(keys.derive("nats-ca")), datetime.now(UTC)
        certificate = held.get("tls.crt", b"").decode(errors="replace")
        if needs_renewal(certificate, ca, config.nats.server_names, now):
            made = issue(keys.derive("nats-ca"), config.nats.server_names, now)
            values |= {"ca.crt": made.ca, "tls.crt": made.certificate, "tls.key": made.key}
            log.info("nats_certificate_made", names=list(config.nats.server_names))
        else:
            values |= {name: held[name].decode() for name in ("ca.crt", "tls.crt", "tls.key")}
    await _fill(api, namespace, config.nats.auth_secret, values)


async def _read(api: API, namespace: str, name: str) -> dict[str, bytes]:
    try:
        return decode(await api.get("v1", "Secret", namespace, name))
    except NotFoundError as exc:
        message = f"Secret {name} is not in namespace {namespace}; the chart makes it: run `helm upgrade`"
        raise PermanentError(message, reason="not_found") from exc


async def _fill(api: API, namespace: str, name: str, values: Mapping[str, str]) -> None:
    secret: Object = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace},
        "data": {key: _base64(value) for key, value in values.items()},
    }
    await api.apply(secret)


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()

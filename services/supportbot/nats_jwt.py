"""NATS 2 identities (pure): nkeys from given bytes, JWTs of operator, account and user, `.creds`, the server's part.

Formats: github.com/nats-io/jwt v2 (claims, algorithm `ed25519-nkey`) and github.com/nats-io/nkeys. Everything is a
function of its arguments: the same key and time give the same bytes, so that nothing needs to be stored.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from nacl.signing import SigningKey

SEED_BYTES = 32
_NO_LIMIT = -1
_SEED_PREFIX = 18 << 3
_HEADER = {"typ": "JWT", "alg": "ed25519-nkey"}


class Kind(Enum):
    """What a key stands for; the value is the prefix byte of its public form, which begins with O, A or U."""

    OPERATOR = 14 << 3
    ACCOUNT = 0
    USER = 20 << 3


@dataclass(frozen=True, repr=False)
class Nkey:
    """A key pair, from 32 secret bytes."""

    kind: Kind
    raw: bytes

    def __post_init__(self) -> None:
        if len(self.raw) != SEED_BYTES:
            raise ValueError(f"an nkey is made of {SEED_BYTES} bytes, not {len(self.raw)}")

    @property
    def seed(self) -> str:
        """The secret, such as `SUA…`."""
        prefix = bytes((_SEED_PREFIX | self.kind.value >> 5, (self.kind.value & 31) << 3))
        return _encode(prefix + self.raw)

    @property
    def public(self) -> str:
        """The name of the key, such as `UA…`."""
        return _encode(bytes((self.kind.value,)) + bytes(SigningKey(self.raw).verify_key))

    def sign(self, data: bytes) -> bytes:
        """The Ed25519 signature."""
        return bytes(SigningKey(self.raw).sign(data).signature)

    def __repr__(self) -> str:
        return f"Nkey({self.kind.name}, {self.public})"


def parse_seed(seed: str) -> Nkey:
    """The key pair of a seed. Raises ValueError, which does not quote it."""
    try:
        decoded = base64.b32decode(seed.strip() + "=" * (-len(seed.strip()) % 8))
        body, checksum = decoded[:-2], decoded[-2:]
        kind = Kind((body[0] & 7) << 5 | body[1] >> 3)
    except (ValueError, IndexError):
        raise ValueError("this is no nkey seed of an operator, account or user") from None
    if body[0] & 248 != _SEED_PREFIX or _checksum(body) != checksum:
        raise ValueError("this is no nkey seed of an operator, account or user")
    return Nkey(kind, body[2:])


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What an account may use; -1 is no limit."""

    memory_bytes: int = _NO_LIMIT
    disk_bytes: int = _NO_LIMIT
    streams: int = _NO_LIMIT
    consumers: int = _NO_LIMIT
    connections: int = _NO_LIMIT


NO_LIMITS = Limits()
NO_JETSTREAM = Limits(memory_bytes=0, disk_bytes=0, streams=0, consumers=0)
"""Of the system account, which must not have any."""


def operator_jwt(operator: Nkey, *, name: str, system_account: str, iat: int) -> str:
    """The operator's own JWT: whom the server trusts, and which account (public key) is the server's own."""
    nats = {"type": "operator", "version": 2, "system_account": system_account}
    return _sign({"iat": iat, "iss": operator.public, "name": name, "sub": operator.public, "nats": nats}, operator)


def account_jwt(
    account: str,
    *,
    name: str,
    operator: Nkey,
    iat: int,
    limits: Limits = NO_LIMITS,
    signing_keys: Sequence[str] = (),
) -> str:
    """The JWT of an account.

    Args:
        account: Its public key.
        name: For people.
        operator: Signs it.
        iat: When it was made, in Unix seconds.
        limits: Of all its users together.
        signing_keys: Public keys that may sign users beside the account's own.
    """
    nats: dict[str, Any] = {
        "type": "account",
        "version": 2,
        "limits": {
            "subs": _NO_LIMIT,
            "data": _NO_LIMIT,
            "payload": _NO_LIMIT,
            "imports": _NO_LIMIT,
            "exports": _NO_LIMIT,
            "wildcards": True,
            "conn": limits.connections,
            "leaf": 0,
            "mem_storage": limits.memory_bytes,
            "disk_storage": limits.disk_bytes,
            "streams": limits.streams,
            "consumer": limits.consumers,
            "max_ack_pending": _NO_LIMIT,
            "mem_max_stream_bytes": _NO_LIMIT,
            "disk_max_stream_bytes": _NO_LIMIT,
        },
        "default_permissions": {"pub": {}, "sub": {}},
    }
    if signing_keys:
        nats["signing_keys"] = list(signing_keys)
    return _sign({"iat": iat, "iss": operator.public, "name": name, "sub": account, "nats": nats}, operator)


def user_jwt(
    user: str,
    *,
    name: str,
    signer: Nkey,
    iat: int,
    publish: Sequence[str] | None = None,
    subscribe: Sequence[str] | None = None,
    account: str | None = None,
    expires: int | None = None,
) -> str:
    """The JWT of a user.

    Args:
        user: Its public key.
        name: For people, such as `supportbots/tiendas/classifier`.
        signer: The account's key, or a signing key of it.
        iat: When it was made, in Unix seconds.
        publish: All subjects that it may publish to; None: any, empty: none.
        subscribe: All subjects that it may subscribe to; None: any, empty: none.
        account: The account's public key, when `signer` is only a signing key of it.
        expires: Unix seconds; None: never.
    """
    nats: dict[str, Any] = {
        "type": "user",
        "version": 2,
        "pub": _permission(publish),
        "sub": _permission(subscribe),
        "subs": _NO_LIMIT,
        "data": _NO_LIMIT,
        "payload": _NO_LIMIT,
    }
    if account is not None and account != signer.public:
        nats["issuer_account"] = account
    claims = {"iat": iat, "iss": signer.public, "name": name, "sub": user, "nats": nats}
    return _sign(claims if expires is None else {**claims, "exp": expires}, signer)


def credentials_text(jwt: str, seed: str) -> str:
    """The content of a `.creds` file. It is a secret."""
    return (
        f"-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n"
        f"-----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
    )


def read_claims(jwt: str) -> dict[str, Any]:
    """The claims of a JWT, unverified. Raises ValueError."""
    try:
        part = jwt.split(".")[1]
        return dict(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))))
    except (IndexError, TypeError, ValueError):
        raise ValueError("this is no JWT") from None


def read_credentials_expiry(text: str) -> datetime | None:
    """When the credentials of a `.creds` file end; None: never. Raises ValueError where there is no JWT in it."""
    lines = [line.strip() for line in text.splitlines()]
    jwt = next((line for line in lines if line.count(".") == 2), "")
    expires = read_claims(jwt).get("exp")
    return None if not expires else datetime.fromtimestamp(expires, UTC)


def server_auth_conf(operator: str, *, system_account: str, accounts: Mapping[str, str]) -> str:
    """The server's part, to be included by its configuration; it never changes when users come and go.

    Args:
        operator: The operator's JWT.
        system_account: Public key of the system account.
        accounts: JWTs by public key, that of the system account among them.
    """
    if system_account not in accounts:
        raise ValueError("the system account's own JWT is missing")
    preload = "".join(f"  {public}: {jwt}\n" for public, jwt in accounts.items())
    trust = f"operator: {operator}\nsystem_account: {system_account}\nresolver: MEMORY\n"
    return f"{trust}resolver_preload: {{\n{preload}}}\n"


def _permission(allowed: Iterable[str] | None) -> dict[str, list[str]]:
    """An empty list of allowed subjects would allow all of them."""
    if allowed is None:
        return {}
    return {"allow": list(allowed)} if allowed else {"deny": [">"]}


def _sign(claims: dict[str, Any], key: Nkey) -> str:
    # The id is the hash of the claims without it, so that equal claims have equal ids.
    digest = hashlib.sha256(_dump(claims)).digest()
    claims = {"jti": base64.b32encode(digest).decode().rstrip("="), **claims}
    unsigned = b".".join(_base64(_dump(part)) for part in (_HEADER, claims))
    return b".".join((unsigned, _base64(key.sign(unsigned)))).decode()


def _dump(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def _base64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _encode(body: bytes) -> str:
    return base64.b32encode(body + _checksum(body)).decode().rstrip("=")


def _checksum(body: bytes) -> bytes:
    """CRC-16/XMODEM, little-endian."""
    return binascii.crc_hqx(body, 0).to_bytes(2, "little")

"""A NATS server as a cluster has it: TLS, an operator, one account for all bots, and a user per bot and service."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from supportbot.nats_connection import Access
from supportbot.nats_jwt import (
    NO_JETSTREAM,
    Kind,
    Nkey,
    account_jwt,
    credentials_text,
    operator_jwt,
    server_auth_conf,
    user_jwt,
)
from supportbot.nats_server import EmbeddedServer
from supportbot.permissions import Permissions, permissions
from supportbot.topology import Stage

IAT = 1_700_000_000


def make_key(kind: Kind, name: str) -> Nkey:
    """The same key for the same name, as the operator derives them."""
    return Nkey(kind, hashlib.sha256(f"{kind}/{name}".encode()).digest())


OPERATOR = make_key(Kind.OPERATOR, "operator")
SYSTEM = make_key(Kind.ACCOUNT, "system")
ACCOUNT = make_key(Kind.ACCOUNT, "supportbot")
SIGNING_KEY = make_key(Kind.ACCOUNT, "signing")


def make_auth_conf() -> str:
    """What the server includes."""
    accounts = {
        SYSTEM.public: account_jwt(SYSTEM.public, name="SYS", operator=OPERATOR, iat=IAT, limits=NO_JETSTREAM),
        ACCOUNT.public: account_jwt(
            ACCOUNT.public, name="SUPPORTBOT", operator=OPERATOR, iat=IAT, signing_keys=[SIGNING_KEY.public]
        ),
    }
    trust = operator_jwt(OPERATOR, name="supportbot", system_account=SYSTEM.public, iat=IAT)
    return server_auth_conf(trust, system_account=SYSTEM.public, accounts=accounts)


def make_credentials(
    name: str, rights: Permissions | None = None, *, signer: Nkey = ACCOUNT, expires: int | None = None
) -> str:
    """The `.creds` of a user; without rights it may do everything in the account."""
    user = make_key(Kind.USER, name)
    jwt = user_jwt(
        user.public,
        name=name,
        signer=signer,
        iat=IAT,
        publish=rights.publish if rights else None,
        subscribe=rights.subscribe if rights else None,
        account=ACCOUNT.public,
        expires=expires,
    )
    return credentials_text(jwt, user.seed)


@dataclass(frozen=True)
class SecuredNATS:
    """A running server and its certificates."""

    server: EmbeddedServer
    folder: Path

    @property
    def url(self) -> str:
        """With the name in the certificate."""
        return f"tls://localhost:{self.server.port}"

    @property
    def ca(self) -> Path:
        """Who signed the server's certificate."""
        return self.folder / "ca.crt"

    def write(self, name: str, credentials: str) -> Access:
        """The access of somebody who has the credentials."""
        path = self.folder / f"{name}.creds"
        path.write_text(credentials)
        return Access(credentials=path, ca=self.ca)

    def admin(self) -> Access:
        """The operator's access."""
        return self.write("admin", make_credentials("admin"))

    def service(self, bot: str, stage: Stage) -> Access:
        """A service's access."""
        name = f"{bot}-{stage}"
        return self.write(name, make_credentials(name, permissions(bot, stage)))


@asynccontextmanager
async def run_secured_nats(folder: Path, *, name: str = "localhost") -> AsyncIterator[SecuredNATS]:
    """Start one."""
    write_certificates(folder, name=name)
    (folder / "auth.conf").write_text(make_auth_conf())
    lines = (f'tls {{\n  cert_file: "{folder}/tls.crt"\n  key_file: "{folder}/tls.key"\n}}', "include auth.conf")
    async with EmbeddedServer(folder, sync="default", max_file="10000GB", extra="\n".join(lines) + "\n") as server:
        yield SecuredNATS(server, folder)


def write_certificates(folder: Path, *, name: str = "localhost") -> None:
    """`ca.crt`, and `tls.crt` with `tls.key` for a DNS name."""
    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a CA of a test")])
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "nats")])
    ca = _certificate(ca_name, ca_key, ca_name, ca_key).add_extension(x509.BasicConstraints(True, None), True)
    leaf = _certificate(subject, key, ca_name, ca_key).add_extension(
        x509.SubjectAlternativeName([x509.DNSName(name)]), False
    )
    pem = serialization.Encoding.PEM
    (folder / "ca.crt").write_bytes(ca.sign(ca_key, hashes.SHA256()).public_bytes(pem))
    (folder / "tls.crt").write_bytes(leaf.sign(ca_key, hashes.SHA256()).public_bytes(pem))
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "tls.key").write_bytes(private)


def _certificate(
    name: x509.Name, key: ec.EllipticCurvePrivateKey, issuer: x509.Name, issuer_key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), False)
    )

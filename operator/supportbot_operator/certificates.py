"""The certificates of the own NATS (pure): an authority that follows from the master key, and a server's certificate.

The authority's key is derived and its certificate always the same, so a new certificate for the server needs no new
trust anywhere. Ed25519: RFC 8410.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFETIME = timedelta(days=825)
RENEW_BEFORE_END = timedelta(days=275)
_AUTHORITY_SINCE, _AUTHORITY_UNTIL = datetime(2025, 1, 1, tzinfo=UTC), datetime(2075, 1, 1, tzinfo=UTC)
_CLOCK_SKEW = timedelta(hours=1)


@dataclass(frozen=True, repr=False)
class ServerCertificate:
    """What a server needs to be known, PEM."""

    ca: str
    certificate: str
    key: str


def issue(seed: bytes, names: Sequence[str], now: datetime) -> ServerCertificate:
    """A certificate for a server that is also a client of its peers.

    Args:
        seed: 32 secret bytes that the authority follows from.
        names: DNS names (a leading `*.` is allowed) and IP addresses.
        now: The beginning, aware.
    """
    authority = Ed25519PrivateKey.from_private_bytes(seed)
    ca = _authority_certificate(authority)
    key = Ed25519PrivateKey.generate()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(_name("nats"))
        .issuer_name(ca.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(_key_identifier(authority), critical=False)
        .sign(authority, None)
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return ServerCertificate(ca=_pem(ca), certificate=_pem(certificate), key=private.decode())


def ca_certificate(seed: bytes) -> str:
    """The authority's certificate, PEM; the same for the same seed."""
    return _pem(_authority_certificate(Ed25519PrivateKey.from_private_bytes(seed)))


def fits(certificate: str, key: str) -> bool:
    """Whether a certificate and a private key belong together."""
    try:
        public = x509.load_pem_x509_certificate(certificate.encode()).public_key()
        private = load_pem_private_key(key.encode(), None)
    except ValueError:
        return False
    return public == private.public_key()


def needs_renewal(certificate: str, ca: str, names: Sequence[str], now: datetime) -> bool:
    """Whether a server's certificate ends soon, is for other names, of another authority, or none at all."""
    try:
        found = x509.load_pem_x509_certificate(certificate.encode())
        found.verify_directly_issued_by(x509.load_pem_x509_certificate(ca.encode()))
        alternative = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return True
    has_names = set(alternative) == {_general_name(name) for name in names}
    return not has_names or found.not_valid_after_utc - now < RENEW_BEFORE_END


def _authority_certificate(authority: Ed25519PrivateKey) -> x509.Certificate:
    public = authority.public_key()
    serial = int.from_bytes(hashlib.sha256(public.public_bytes_raw()).digest()[:16], "big") >> 1
    name = _name("supportbot NATS authority")
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(serial)
        .not_valid_before(_AUTHORITY_SINCE)
        .not_valid_after(_AUTHORITY_UNTIL)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .sign(authority, None)
    )


def _key_usage() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )


def _key_identifier(authority: Ed25519PrivateKey) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key())


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()

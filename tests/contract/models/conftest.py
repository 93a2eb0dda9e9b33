"""The emulated vendors for the contract tests of the model providers."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.contract.models.support import Build, builder

from supportbot.classifier.models.port import Provider
from supportbot.emulators.models.server import EmulatedModels


@pytest.fixture(scope="session")
def served_models() -> Iterator[EmulatedModels]:
    """One server for all tests."""
    with EmulatedModels() as models:
        yield models


@pytest.fixture
def models(served_models: EmulatedModels) -> EmulatedModels:
    """The server, with nothing scripted and nothing in its journal."""
    served_models.reset()
    return served_models


@pytest_asyncio.fixture
async def build(models: EmulatedModels) -> AsyncIterator[Build]:
    """Builds providers that the test need not close."""
    made: list[Provider] = []
    yield builder(models, made)
    for provider in made:
        await provider.close()


def certify(path: Path) -> Path:
    """Write a key and a certificate for localhost that no authority signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    path.write_bytes(secret + certificate.public_bytes(pem))
    return path


@pytest.fixture(scope="session", autouse=True)
def trusted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Key and certificate that alone are trusted; to read the system's takes 50 ms for each of many clients."""
    path = certify(tmp_path_factory.mktemp("trusted") / "server.pem")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("SSL_CERT_FILE", str(path))
        yield path


@pytest.fixture(scope="session")
def self_signed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Key and certificate that nobody trusts."""
    return certify(tmp_path_factory.mktemp("tls") / "server.pem")

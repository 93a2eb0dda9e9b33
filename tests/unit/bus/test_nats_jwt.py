import base64
import json
from datetime import UTC, datetime

import nkeys  # type: ignore[import-untyped]
import pytest

from supportbot.nats_jwt import (
    Kind,
    Limits,
    Nkey,
    account_jwt,
    credentials_text,
    operator_jwt,
    parse_seed,
    read_claims,
    read_credentials_expiry,
    server_auth_conf,
    user_jwt,
)

RAW = bytes(range(32))
IAT = 1_700_000_000
OPERATOR, ACCOUNT, USER = (Nkey(kind, RAW) for kind in Kind)


@pytest.mark.parametrize(("key", "letter"), [(OPERATOR, "O"), (ACCOUNT, "A"), (USER, "U")])
def test_an_nkey_is_the_one_of_the_nats_library(key: Nkey, letter: str) -> None:
    pair = nkeys.from_seed(bytearray(key.seed.encode()))
    assert pair.public_key.decode() == key.public
    assert pair.sign(b"nonce") == key.sign(b"nonce")
    assert (key.seed[:2], key.public[0], len(key.public)) == (f"S{letter}", letter, 56)
    assert parse_seed(f"{key.seed}\n") == key


def test_a_seed_is_in_no_error_and_no_repr() -> None:
    assert USER.seed not in repr(USER)
    for wrong in ("", "SU", USER.public, USER.seed[:-1], USER.seed[:-1] + "Q", USER.seed.lower(), "ñ"):
        with pytest.raises(ValueError, match="no nkey seed") as caught:
            parse_seed(wrong)
        assert not wrong or wrong not in str(caught.value)
    with pytest.raises(ValueError, match="32 bytes"):
        Nkey(Kind.USER, b"short")


def test_a_jwt_is_signed_by_its_issuer_and_always_the_same() -> None:
    def make() -> str:
        return user_jwt(USER.public, name="b/ticket", signer=ACCOUNT, iat=IAT, publish=["a.>"], subscribe=["b"])

    header, claims, signature = (base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in make().split("."))
    assert json.loads(header) == {"typ": "JWT", "alg": "ed25519-nkey"}
    pair = nkeys.from_seed(bytearray(ACCOUNT.seed.encode()))
    assert pair.verify(make().rpartition(".")[0].encode(), signature)
    assert make() == make()
    read = json.loads(claims)
    assert read.pop("jti")
    assert read == {
        "iat": IAT,
        "iss": ACCOUNT.public,
        "name": "b/ticket",
        "sub": USER.public,
        "nats": {
            "type": "user",
            "version": 2,
            "pub": {"allow": ["a.>"]},
            "sub": {"allow": ["b"]},
            "subs": -1,
            "data": -1,
            "payload": -1,
        },
    }


def test_nothing_allowed_is_not_everything_allowed() -> None:
    jwt = user_jwt(USER.public, name="nobody", signer=ACCOUNT, iat=IAT, publish=[], subscribe=[])
    assert read_claims(jwt)["nats"]["pub"] == {"deny": [">"]}
    assert read_claims(jwt)["nats"]["sub"] == {"deny": [">"]}
    assert read_claims(user_jwt(USER.public, name="all", signer=ACCOUNT, iat=IAT))["nats"]["pub"] == {}


def test_who_is_signed_by_a_signing_key_names_the_account() -> None:
    signing = Nkey(Kind.ACCOUNT, bytes(32))
    jwt = user_jwt(USER.public, name="b", signer=signing, iat=IAT, account=ACCOUNT.public)
    assert read_claims(jwt)["nats"]["issuer_account"] == ACCOUNT.public
    jwt = user_jwt(USER.public, name="b", signer=ACCOUNT, iat=IAT, account=ACCOUNT.public)
    assert "issuer_account" not in read_claims(jwt)["nats"]


def test_the_servers_part_names_operator_and_accounts() -> None:
    trust = operator_jwt(OPERATOR, name="o", system_account=ACCOUNT.public, iat=IAT)
    account = account_jwt(ACCOUNT.public, name="SYS", operator=OPERATOR, iat=IAT, limits=Limits(streams=5))
    assert read_claims(trust)["nats"]["system_account"] == ACCOUNT.public
    assert read_claims(account)["nats"]["limits"]["streams"] == 5
    assert server_auth_conf(trust, system_account=ACCOUNT.public, accounts={ACCOUNT.public: account}).splitlines() == [
        f"operator: {trust}",
        f"system_account: {ACCOUNT.public}",
        "resolver: MEMORY",
        "resolver_preload: {",
        f"  {ACCOUNT.public}: {account}",
        "}",
    ]
    with pytest.raises(ValueError, match="system account"):
        server_auth_conf(trust, system_account=ACCOUNT.public, accounts={})


@pytest.mark.parametrize(("expires", "at"), [(None, None), (IAT, datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC))])
def test_credentials_tell_when_they_end(expires: int | None, at: datetime | None) -> None:
    jwt = user_jwt(USER.public, name="b", signer=ACCOUNT, iat=IAT, expires=expires)
    assert read_credentials_expiry(credentials_text(jwt, USER.seed)) == at


@pytest.mark.parametrize("text", ["", "a.b.c", "a.bnVsbA.c", "not credentials"])
def test_what_holds_no_jwt_is_told(text: str) -> None:
    with pytest.raises(ValueError, match="no JWT"):
        read_credentials_expiry(text)

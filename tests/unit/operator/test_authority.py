"""Whose credentials a bot gets from somebody else's NATS."""

import pytest
from tests.unit.operator.bots import MINIMAL, make_bot, make_config

from supportbot.errors import UserError
from supportbot.nats_jwt import Kind, Nkey, read_claims
from supportbot_operator.authority import external_authority
from supportbot_operator.desired import Component
from supportbot_operator.keys import Keys

ACCOUNT, SIGNER = Nkey(Kind.ACCOUNT, bytes(32)), Nkey(Kind.ACCOUNT, bytes(range(32)))
CONFIG = make_config(nats={"url": "tls://nats.example:4222", "managed": False, "authSecret": "nats"})
KEYS = Keys(b"k" * 32)


def claims(values: dict[str, bytes]) -> dict[str, object]:
    text = external_authority(KEYS, CONFIG, values).credentials(make_bot(MINIMAL), Component.TICKET)
    return read_claims(next(line for line in text.splitlines() if line.count(".") == 2))


def test_an_account_signs_a_user_for_each_service() -> None:
    found = claims({"account-seed": ACCOUNT.seed.encode()})
    assert (found["iss"], found["name"]) == (ACCOUNT.public, "support/tiendas/ticket")


def test_a_signing_key_names_its_account() -> None:
    found = claims({"account-seed": SIGNER.seed.encode(), "account-id": ACCOUNT.public.encode()})
    nats = found["nats"]
    assert isinstance(nats, dict)
    assert (found["iss"], nats["issuer_account"]) == (SIGNER.public, ACCOUNT.public)


def test_users_of_two_bots_and_of_a_successor_differ() -> None:
    authority = external_authority(KEYS, CONFIG, {"account-seed": ACCOUNT.seed.encode()})
    bot, other = make_bot(MINIMAL), make_bot(MINIMAL, name="clinics")
    made = {authority.credentials(one, component) for one in (bot, other) for component in Component}
    assert len(made) == 6


@pytest.mark.parametrize(("values", "text"), [({}, ""), ({"creds": b"shared\n"}, "shared")])
def test_without_an_account_all_share_what_there_is(values: dict[str, bytes], text: str) -> None:
    authority = external_authority(KEYS, CONFIG, {**values, "ca.crt": b"pem"})
    assert authority.credentials(make_bot(MINIMAL), Component.TICKET) == authority.operator_credentials() == text
    assert authority.ca == "pem"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"account-seed": b"nonsense"}, "key account-seed"),
        ({"account-seed": Nkey(Kind.USER, bytes(32)).seed.encode()}, "must begin with SA"),
        ({"account-seed": SIGNER.seed.encode(), "account-id": b"UABC"}, "key account-id"),
    ],
)
def test_what_cannot_be_used_is_named_and_never_quoted(values: dict[str, bytes], words: str) -> None:
    with pytest.raises(UserError, match=words) as refused:
        external_authority(KEYS, CONFIG, values)
    assert values["account-seed"].decode() not in str(refused.value)

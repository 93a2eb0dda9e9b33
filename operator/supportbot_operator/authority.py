"""Who hands out credentials for the broker: our own keys, an account of somebody else's, one file for all, or nobody.

A service gets a user of its own with the subjects of `supportbot.permissions`; making one needs nothing from the
broker, so bots come and go without a change of its configuration.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from supportbot.errors import UserError
from supportbot.nats_jwt import (
    NO_JETSTREAM,
    Kind,
    Nkey,
    account_jwt,
    credentials_text,
    operator_jwt,
    parse_seed,
    server_auth_conf,
    user_jwt,
)
from supportbot.permissions import permissions
from supportbot.topology import Stage
from supportbot_operator.certificates import ca_certificate
from supportbot_operator.check import CHECK_PERMISSIONS
from supportbot_operator.config import OperatorConfig
from supportbot_operator.desired import Bot, Component
from supportbot_operator.keys import Keys

ISSUED_AT = 1_735_689_600
"""1 January 2025: what is derived must not depend on when."""
OPERATOR_USER, CHECK_USER = "operator", "check"


@dataclass(frozen=True, kw_only=True)
class AccountAuthority:
    """Signs users of one account.

    Args:
        keys: Users' own keys follow from them.
        signer: The account's key, or a signing key of it.
        account: The account's public key.
        ca: How clients know the broker.
    """

    keys: Keys
    signer: Nkey
    account: str
    ca: str = ""

    def credentials(self, bot: Bot, component: Component) -> str:
        """A service may touch its own subjects and nothing else. The user is another when the bot is made anew."""
        allowed = permissions(bot.key, Stage(component))
        name = f"{bot.namespace}/{bot.name}/{component}"
        return self._credentials(name, bot.uid, bot.created_at, allowed.publish, allowed.subscribe)

    def operator_credentials(self) -> str:
        """The operator may do everything in the account."""
        return self._credentials(OPERATOR_USER, "", ISSUED_AT, None, None)

    def check_credentials(self) -> str:
        """For `helm test`."""
        publish, subscribe = CHECK_PERMISSIONS
        return self._credentials(CHECK_USER, "", ISSUED_AT, publish, subscribe)

    def _credentials(
        self, name: str, uid: str, iat: int, publish: tuple[str, ...] | None, subscribe: tuple[str, ...] | None
    ) -> str:
        user = Nkey(Kind.USER, self.keys.derive("nats-user", name, uid))
        jwt = user_jwt(
            user.public,
            name=name,
            signer=self.signer,
            iat=iat,
            publish=publish,
            subscribe=subscribe,
            account=self.account,
        )
        return credentials_text(jwt, user.seed)


@dataclass(frozen=True, kw_only=True)
class SharedAuthority:
    """Everybody has the same credentials, or none: the broker then keeps nobody apart."""

    text: str = ""
    ca: str = ""

    def credentials(self, bot: Bot, component: Component) -> str:
        """The shared file."""
        del bot, component
        return self.text

    def operator_credentials(self) -> str:
        """The shared file."""
        return self.text

    def check_credentials(self) -> str:
        """The shared file."""
        return self.text


BrokerAuthority = AccountAuthority | SharedAuthority


def own_authority(keys: Keys, config: OperatorConfig, ca: str | None = None) -> AccountAuthority:
    """The authority over the chart's own NATS; `ca` is given where somebody else makes its certificate."""
    account = Nkey(Kind.ACCOUNT, keys.derive("nats-account"))
    if ca is None:
        ca = ca_certificate(keys.derive("nats-ca")) if config.nats.has_tls else ""
    return AccountAuthority(keys=keys, signer=account, account=account.public, ca=ca)


def own_server_part(keys: Keys) -> str:
    """What the chart's own NATS includes: the operator and the two accounts, which never change."""
    operator = Nkey(Kind.OPERATOR, keys.derive("nats-operator"))
    system = Nkey(Kind.ACCOUNT, keys.derive("nats-system"))
    account = Nkey(Kind.ACCOUNT, keys.derive("nats-account"))
    return server_auth_conf(
        operator_jwt(operator, name="supportbot", system_account=system.public, iat=ISSUED_AT),
        system_account=system.public,
        accounts={
            system.public: account_jwt(
                system.public, name="SYS", operator=operator, iat=ISSUED_AT, limits=NO_JETSTREAM
            ),
            account.public: account_jwt(account.public, name="SUPPORTBOT", operator=operator, iat=ISSUED_AT),
        },
    )


def external_authority(keys: Keys, config: OperatorConfig, secret: Mapping[str, bytes]) -> BrokerAuthority:
    """The authority over somebody else's NATS.

    Args:
        keys: Of this installation.
        config: For the Secret's name.
        secret: The values of `nats.authSecret`; empty without one.

    Raises:
        UserError: A value is none of those that are understood.
    """
    name = config.nats.auth_secret
    text = {key: value.decode(errors="replace").strip() for key, value in secret.items()}
    ca = text.get("ca.crt", "")
    if "account-seed" not in text:
        return SharedAuthority(text=text.get("creds", ""), ca=ca)
    try:
        signer = parse_seed(text["account-seed"])
    except ValueError as exc:
        raise UserError(f"Secret {name}, key account-seed: {exc}; `nsc export keys` writes one") from exc
    if signer.kind is not Kind.ACCOUNT:
        raise UserError(f"Secret {name}, key account-seed: it is the seed of another kind; it must begin with SA")
    account = text.get("account-id", signer.public)
    if not account.startswith("A"):
        raise UserError(f"Secret {name}, key account-id: {account!r} is no public key of an account (A…)")
    return AccountAuthority(keys=keys, signer=signer, account=account, ca=ca)

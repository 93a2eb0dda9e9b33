"""From the variables of the earlier generation to a draft, with a word on everything that does not come along. Pure."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from supportbot.cli.init.draft import AI_SECRET, KEY_NAMES, ZOHO_SECRET, Draft
from supportbot.cli.init.env_files import Variables
from supportbot.cli.init.models import KnownModel, find_model
from supportbot.spec import PLACEHOLDER, DataCenter, Provider, fault_of, scalars

NAME = "support"

GROUPS = ("WHATSAPP_GROUP_ID", "WHATSAPP_GROUP_IDS")
KEYS: Mapping[Provider, tuple[str, ...]] = {
    Provider.OPENAI: ("OPENAI_API_KEY",),
    Provider.GEMINI: ("GOOGLE_API_KEY", "GEMINI_API_KEY"),
    Provider.ANTHROPIC: ("ANTHROPIC_API_KEY",),
}
CREDENTIALS: Mapping[str, str] = {
    "client-id": "ZOHO_CLIENT_ID",
    "client-secret": "ZOHO_CLIENT_SECRET",
    "refresh-token": "ZOHO_REFRESH_TOKEN",
}
HOSTS = (
    "ZOHO_DATA_CENTER",
    "ZOHO_DC",
    "ZOHO_REGION",
    "ZOHO_DOMAIN",
    "ZOHO_ACCOUNTS_URL",
    "ZOHO_API_URL",
    "ZOHO_BASE_URL",
)
"""Where an installation may have said which data centre it uses."""

_DOMAINS: Mapping[str, DataCenter] = {
    ".com.au": DataCenter.AU,
    ".com.cn": DataCenter.CN,
    "zohocloud.ca": DataCenter.CA,
    ".eu": DataCenter.EU,
    ".in": DataCenter.IN,
    ".jp": DataCenter.JP,
    ".sa": DataCenter.SA,
    ".com": DataCenter.US,
}

LEFT_BEHIND: Mapping[str, str] = {
    "ZOHO_AUTHORIZATION_CODE": "a code works once and is used up; the bot needs a refresh token instead. Open the "
    "client in Zoho's API console (api-console.zoho.com or your data centre's), generate a new code and exchange it "
    "within minutes at accounts.zoho.com/oauth/v2/token (grant_type=authorization_code); the answer has refresh_token",
    "ZOHO_REDIRECT_URI": "only needed to get a refresh token in the browser, not to run the bot",
    "ZOHO_ACCESS_TOKEN": "it lasts an hour; the bot gets its own by the refresh token",
    "PORT": "every service has its documented port: 3001, 8001, 8003",
    "LOG_LEVEL": "set SUPPORTBOT_LOG_LEVEL in the environment",
}
_LEFT_BEHIND_PREFIXES: Mapping[str, str] = {
    "REDIS": "messages travel over NATS JetStream now, which `supportbot up` starts by itself",
    "RABBITMQ": "messages travel over NATS JetStream now, which `supportbot up` starts by itself",
}


@dataclass(frozen=True)
class Migration:
    """The draft and how it came about. No note holds a secret value."""

    draft: Draft
    carried: tuple[str, ...]
    """Variables that are in the draft."""
    changed: tuple[str, ...]
    """What came along in another form, or will need a change."""
    left: tuple[str, ...]
    """What did not come along, and why."""


class _Reader:
    """Hands out variables and remembers what became of them."""

    def __init__(self, variables: Variables) -> None:
        self._all = variables.values
        self._unset = variables.unset
        self._values = {name: value for name, value in variables.values.items() if name not in variables.unset}
        self.carried: dict[str, None] = {}
        self.changed: list[str] = []
        self.left: dict[str, str] = {}

    def take(self, *names: str) -> tuple[str, str] | None:
        """The first of these variables that is set: its name and value."""
        found = next(((name, self._values[name]) for name in names if name in self._values), None)
        if found:
            self.carried[found[0]] = None
        return found

    def has(self, *names: str) -> bool:
        """Whether one of these variables is set."""
        return any(name in self._values for name in names)

    def refuse(self, name: str, why: str) -> None:
        """Take back that `name` was carried over."""
        self.carried.pop(name, None)
        self.left[name] = why

    def rest(self) -> Iterator[str]:
        """Every variable that nothing has asked for or that was refused, and why it stays behind."""
        for name in self._all:
            if name not in self.carried:
                yield f"{name}: {self._why_left(name)}"

    def _why_left(self, name: str) -> str:
        if name in LEFT_BEHIND:
            return LEFT_BEHIND[name]
        if name in self._unset:
            return "it has no value yet"
        prefixed = (why for prefix, why in _LEFT_BEHIND_PREFIXES.items() if name.startswith(prefix))
        return self.left.get(name) or next(prefixed, "this version has no such setting")


def migrate(variables: Variables, *, today: date) -> Migration:
    """The draft of a bot that does what the earlier installation did."""
    reader = _Reader(variables)
    spec: dict[str, Any] = {"whatsapp": {"groups": _groups(reader)}}
    chain, keys = _models(reader, today)
    if chain:
        primary, *fallbacks = chain
        spec["models"] = {"primary": primary} | ({"fallbacks": fallbacks} if fallbacks else {})
    spec["zoho"] = _zoho(reader)
    credentials = {key: _value(reader.take(name)) for key, name in CREDENTIALS.items()}
    conflicts = (f"{name}: {why}" for name, why in variables.conflicts.items() if name in reader.carried)
    return Migration(
        draft=Draft(name=NAME, spec=spec, secrets={AI_SECRET: keys, ZOHO_SECRET: credentials}),
        carried=tuple(reader.carried),
        changed=(*reader.changed, *conflicts),
        left=(*(f"{line}: it is no assignment" for line in variables.unreadable), *reader.rest()),
    )


def _value(found: tuple[str, str] | None) -> str:
    return found[1] if found else PLACEHOLDER


def _groups(reader: _Reader) -> list[dict[str, str]]:
    """The groups of one or more ids, with or without `@g.us`."""
    found = reader.take(*GROUPS)
    if not found:
        return [{"jid": PLACEHOLDER}]
    name, value = found
    jids: list[str] = []
    for word in re.split(r"[\s,;]+", value):
        jid = f"{word.removesuffix('@g.us')}@g.us"
        if not word:
            continue
        if fault_of(scalars.GroupJID, jid):
            reader.refuse(
                name, "it is not a group's id such as 120363025246125486@g.us (an invite link or a phone is none)"
            )
        elif jid not in jids:
            jids.append(jid)
    return [{"jid": jid} for jid in jids] or [{"jid": PLACEHOLDER}]


def _models(reader: _Reader, today: date) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """The chain for the spec, and its API keys by key of the Secret."""
    chain: list[dict[str, Any]] = []
    keys: dict[str, str] = {}
    options = _options(reader)
    for known, required in _wanted(reader, today):
        key = reader.take(*KEYS[known.provider])
        if key is None and not required:
            reader.refuse("FALLBACK_AI_MODEL", f"there is no {KEYS[known.provider][0]}, so it was never reachable")
            continue
        if any(model["model"] == known.model for model in chain):
            continue
        ref = {"name": AI_SECRET, "key": KEY_NAMES[known.provider]}
        chain.append({"provider": known.provider.value, "model": known.model, "apiKeySecretRef": ref, **options})
        keys[ref["key"]] = _value(key)
    for names in KEYS.values():
        for name in names:
            reader.left.setdefault(name, "no model of the chain uses it")
    return chain, keys


def _wanted(reader: _Reader, today: date) -> Iterator[tuple[KnownModel, bool]]:
    """The models that were configured, and whether the bot cannot do without; else those that have a key."""
    asked = [(name, reader.take(name)) for name in ("PRIMARY_AI_MODEL", "FALLBACK_AI_MODEL")]
    known = [(name, find_model(found[1], today=today)) for name, found in asked if found]
    for name, model in known:
        if model is None:
            reader.refuse(name, "nothing says whose model this is; add it to spec.models by hand")
        else:
            yield _noted(reader, name, model), name == "PRIMARY_AI_MODEL"
    if not any(model for _, model in known):
        for provider, names in KEYS.items():
            model = find_model(KEY_NAMES[provider], today=today)
            if model and reader.has(*names):
                yield _noted(reader, names[0], model), False


def _noted(reader: _Reader, name: str, model: KnownModel) -> KnownModel:
    if model.note:
        reader.changed.append(f"{name}: {model.note}")
    return model


def _options(reader: _Reader) -> dict[str, Any]:
    """Temperature and token limit, for every model of the chain."""
    options: dict[str, Any] = {}
    if found := reader.take("MODEL_TEMPERATURE"):
        temperature = _temperature(found[1])
        if temperature is None:
            reader.refuse(found[0], "it is not a number from 0 to 2; the default 0 is used")
        else:
            options["temperature"] = temperature
    if found := reader.take("MAX_TOKENS"):
        digits = re.sub(r"[,_]", "", found[1])
        if not re.fullmatch("[0-9]{1,5}", digits) or not 1 <= int(digits) <= 32768:
            reader.refuse(found[0], "it is not a number from 1 to 32768; the default 512 is used")
        else:
            options["maxTokens"] = int(digits)
    return options


def _temperature(text: str) -> str | None:
    """A decimal with at most two places as the spec wants it, or None."""
    try:
        number = Decimal(text.replace(",", "."))
        if not 0 <= number <= 2:
            return None
    except InvalidOperation:
        return None
    places = f"{number:.2f}".rstrip("0").rstrip(".")
    return None if fault_of(scalars.Temperature, places) else places


def _zoho(reader: _Reader) -> dict[str, Any]:
    zoho: dict[str, Any] = {}
    if found := reader.take(*HOSTS):
        center = _data_center(found[1])
        if center is None:
            reader.refuse(found[0], "it names no known data centre; US is used")
        else:
            zoho["dataCenter"] = center.value
    for field, name in (("organizationID", "ZOHO_ORG_ID"), ("departmentID", "ZOHO_DEPARTMENT_ID")):
        value = _value(found := reader.take(name))
        if found and fault_of(scalars.ZohoID, value):
            reader.refuse(name, "it is not a number")
            value = PLACEHOLDER
        zoho[field] = value
    return zoho | {"credentialsSecretRef": {"name": ZOHO_SECRET}}


def _data_center(value: str) -> DataCenter | None:
    """From a word such as `eu` or `.eu`, or any address of Zoho."""
    word = value.strip().strip(".").upper()
    if word in DataCenter.__members__:
        return DataCenter[word]
    host = re.sub(r"^https?://", "", value.strip().lower()).partition("/")[0]
    host = host if "." in host else f".{host}"
    return next((center for domain, center in _DOMAINS.items() if host.endswith(domain)), None)

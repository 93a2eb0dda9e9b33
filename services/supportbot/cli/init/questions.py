"""The questions of `supportbot init`. The spec's own rules judge every answer; one that fails is asked again."""

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import Any, TypeVar

import typer

from supportbot.cli.init.draft import AI_SECRET, KEY_NAMES, ZOHO_SECRET, Draft
from supportbot.cli.init.models import SUGGESTED
from supportbot.spec import (
    PLACEHOLDER,
    DataCenter,
    Gateway,
    Language,
    Mode,
    PairingMethod,
    Provider,
    fault_of,
    scalars,
)

SIMULATED_GROUP = "120363000000000001@g.us"
MAX_FALLBACKS = 4
NO_MODEL = "None"
LATER = " (Enter: fill in later)"
GROUPS_QUESTION = (
    f"Group ids, separated by commas (not known yet: give {SIMULATED_GROUP}, and once the phone is linked "
    "`supportbot groups` lists them; Enter: fill in later)"
)

Choice = TypeVar("Choice", bound=StrEnum)


def ask_draft() -> Draft:
    """Ask for everything that a bot needs. Enter takes the default; what has none becomes a placeholder."""
    name = ask("Name of the bot", scalars.BotName, default="support")
    language = choose("Language of its words", Language, Language.ES)
    gateway = choose(
        "Messages come from a simulated group to try it out (Simulator), or from WhatsApp (Neonize)",
        Gateway,
        Gateway.SIMULATOR,
    )
    tries = gateway is Gateway.SIMULATOR
    whatsapp = {"gateway": gateway.value, "groups": [{"jid": SIMULATED_GROUP}]} if tries else _ask_whatsapp()
    mode = choose(
        "Open tickets and answer (Auto), or only decide and record (Shadow)", Mode, Mode.SHADOW if tries else Mode.AUTO
    )
    chain, keys = _ask_models(Provider.OPENAI if not tries else None)
    spec: dict[str, Any] = {"mode": mode.value, "language": language.value, "whatsapp": whatsapp}
    if chain:
        spec["models"] = {"primary": chain[0]} | ({"fallbacks": chain[1:]} if chain[1:] else {})
    secrets = {AI_SECRET: keys}
    if mode is Mode.AUTO:
        spec["zoho"], secrets[ZOHO_SECRET] = _ask_zoho()
    return Draft(name=name, spec=spec, secrets=secrets)


def ask(question: str, kind: object, *, default: str = "", secret: bool = False) -> str:
    """An answer that the spec accepts as `kind`; without an answer and a default, the placeholder."""
    while True:
        shown = question if default else question + LATER
        answer: str = typer.prompt(shown, default=default, show_default=bool(default), hide_input=secret).strip()
        if not answer:
            return PLACEHOLDER
        fault = fault_of(kind, answer)
        if fault is None:
            return answer
        typer.echo("  It " + (fault.partition("; it is ")[0] if secret else fault))


def choose(question: str, choices: type[Choice], default: Choice) -> Choice:
    """One of the choices; capitals do not matter."""
    return choices(_choose(question, [choice.value for choice in choices], default.value))


def _choose(question: str, choices: list[str], default: str) -> str:
    by_word = {choice.lower(): choice for choice in choices}
    while True:
        answer: str = typer.prompt(f"{question} [{'/'.join(choices)}]", default=default).strip().lower()
        if answer in by_word:
            return by_word[answer]
        typer.echo(f"  It must be one of {', '.join(choices)}")


def _ask_list(question: str, kind: object, tidy: Iterable[tuple[str, str]]) -> list[str]:
    """Several answers, separated by commas, without repeats; none is an answer too."""
    while True:
        answer: str = typer.prompt(question, default="", show_default=False)
        values: list[str] = []
        for word in filter(None, (part.strip() for part in re.split("[,;]", answer))):
            for pattern, replacement in tidy:
                word = re.sub(pattern, replacement, word)  # noqa: PLW2901
            if word not in values:
                values.append(word)
        faults = [fault for value in values if (fault := fault_of(kind, value))]
        if not faults:
            return values
        for fault in faults:
            typer.echo("  It " + fault)


def _ask_whatsapp() -> dict[str, Any]:
    groups = _ask_list(GROUPS_QUESTION, scalars.GroupJID, [(r"^([0-9-]+)$", r"\1@g.us")])
    whatsapp: dict[str, Any] = {
        "gateway": Gateway.NEONIZE.value,
        "groups": [{"jid": jid} for jid in groups or [PLACEHOLDER]],
    }
    method = choose("Link the phone by scanning a QR code, or by typing a code", PairingMethod, PairingMethod.QR)
    whatsapp["pairing"] = {"method": method.value}
    if method is PairingMethod.CODE:
        whatsapp["pairing"]["phoneNumber"] = ask("The bot's own number, such as +529980000001", scalars.PhoneNumber)
    staff = _ask_list(
        "Numbers of the people who solve, separated by commas (Enter: none)", scalars.PhoneNumber, [(r"[ ().-]", "")]
    )
    return whatsapp | ({"staff": staff} if staff else {})


def _ask_models(default: Provider | None) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """The chain, and the API keys by key of the Secret."""
    chain: list[dict[str, Any]] = []
    keys: dict[str, str] = {}
    question = "Language model (None: the local tiers work alone)"
    while len(chain) <= MAX_FALLBACKS:
        answer = _choose(question, [*Provider, NO_MODEL], default.value if default else NO_MODEL)
        if answer == NO_MODEL:
            break
        chain.append(_ask_model(Provider(answer), keys))
        question, default = "Another one, for when those before are away", None
    return chain, keys


def _ask_model(provider: Provider, keys: dict[str, str]) -> dict[str, Any]:
    model: dict[str, Any] = {"provider": provider.value}
    model["model"] = ask("Model", scalars.ModelName, default=SUGGESTED.get(provider, ""))
    if provider is Provider.OPENAI_COMPATIBLE:
        model["baseURL"] = ask("Where its API is, such as http://localhost:8000/v1", scalars.HTTPURL)
        if not typer.confirm("Does it need a key?", default=False):
            return model
    key = KEY_NAMES[provider]
    if key not in keys:
        keys[key] = ask(f"API key of {provider.value}, not shown", scalars.Text, secret=True)
    return model | {"apiKeySecretRef": {"name": AI_SECRET, "key": key}}


def _ask_zoho() -> tuple[dict[str, Any], dict[str, str]]:
    zoho = {
        "dataCenter": choose("Zoho data centre", DataCenter, DataCenter.US).value,
        "organizationID": ask("Zoho Desk organization, a number", scalars.ZohoID),
        "departmentID": ask("Department that gets the tickets, a number", scalars.ZohoID),
        "credentialsSecretRef": {"name": ZOHO_SECRET},
    }
    credentials = {
        "client-id": ask("Client id of Zoho's API console", scalars.Text),
        "client-secret": ask("Client secret, not shown", scalars.Text, secret=True),
        "refresh-token": ask("Refresh token, not shown", scalars.Text, secret=True),
    }
    return zoho, credentials

"""A bot's file: one SupportBot and the Secrets that it refers to, in YAML documents or JSON."""

import json
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from supportbot.spec.faults import Fault, SpecError, path_text, shown, type_name
from supportbot.spec.model import SupportBot
from supportbot.spec.secrets import SecretDocument, missing_secrets, read_secret, refs_in


@dataclass(frozen=True)
class BotFile:
    """What `supportbot up` needs."""

    bot: SupportBot
    secrets: Mapping[str, Mapping[str, str]]
    """Secret name → key → value; holds at least everything that the bot refers to."""


def parse_bot_file(text: str, *, source: str) -> BotFile:
    """The bot and the secrets of a file.

    Args:
        text: YAML documents, or one JSON object: exactly one SupportBot, and Secrets (`data` or `stringData`).
        source: What messages call the file.

    Raises:
        SpecError: Something is wrong; it lists everything, a missing or empty secret included.
    """
    bots: list[tuple[str, Mapping[str, Any]]] = []
    secrets: list[tuple[str, SecretDocument]] = []
    faults: list[Fault] = []
    for where, document in _documents(text, source):
        match document:
            case {"kind": "Secret"}:
                secrets.append((where, read_secret(document, where)))
            case {"kind": "SupportBot"} | {"spec": _}:
                bots.append((where, document))
            case _:
                faults.append(_stranger(where, document))
    bot, found = _only_bot(bots)
    values = {secret.name: secret.values for _, secret in reversed(secrets)}
    needed = refs_in(bots[0][1].get("spec")) if bots else iter(())
    faults = [*found, *missing_secrets(needed, values), *_secret_faults(secrets, bots), *faults]
    if faults or bot is None:
        raise SpecError(faults, source=source)
    return BotFile(bot=bot, secrets=values)


def _secret_faults(
    secrets: list[tuple[str, SecretDocument]], bots: list[tuple[str, Mapping[str, Any]]]
) -> Iterator[Fault]:
    """What is wrong with the Secrets themselves. References cannot leave the bot's namespace."""
    home = next(
        (metadata.get("namespace") for _, bot in bots if isinstance(metadata := bot.get("metadata"), dict)), None
    )
    seen = set()
    for where, secret in secrets:
        yield from secret.faults
        if secret.name in seen:
            yield Fault(f"{where}.metadata.name", f"is used before: {shown(secret.name)} may appear once")
        if home and secret.namespace and secret.namespace != home:
            message = f"must be {home}, the bot's own namespace; it is {shown(secret.namespace)}"
            yield Fault(f"{where}.metadata.namespace", message)
        seen.add(secret.name)


def load_bot(path: Path) -> SupportBot:
    """The bot of the spec file that a service reads: one SupportBot document, YAML or JSON.

    Raises:
        SpecError: The file cannot be read, or something in it is wrong.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise SpecError([Fault("", f"it cannot be read: {exc}")], source=str(path)) from exc
    documents = list(_documents(text, str(path)))
    if len(documents) != 1:
        fault = Fault("", f"it must hold one SupportBot and nothing else; it holds {len(documents)} documents")
        raise SpecError([fault], source=str(path))
    return parse_bot(documents[0][1], source=str(path))


def parse_bot(document: object, *, source: str) -> SupportBot:
    """The bot of one document as YAML or JSON gives it.

    Raises:
        SpecError: Something in it is wrong; it lists everything.
    """
    bot, faults = _bot(document)
    if bot is None:
        raise SpecError(faults, source=source)
    return bot


def _bot(document: object) -> tuple[SupportBot | None, list[Fault]]:
    try:
        return SupportBot.model_validate(document), []
    except ValidationError as error:
        return None, [Fault(path_text(e["loc"]), e["msg"]) for e in error.errors(include_url=False)]


def _only_bot(bots: list[tuple[str, Mapping[str, Any]]]) -> tuple[SupportBot | None, list[Fault]]:
    """The first bot, with its faults and one for each further bot."""
    if not bots:
        return None, [Fault("", "it holds no SupportBot (apiVersion: supportbot.dev/v1alpha1, kind: SupportBot)")]
    bot, faults = _bot(bots[0][1])
    more = [Fault(where, "a second SupportBot; a file describes one bot") for where, _ in bots[1:]]
    return bot, faults + more


def _stranger(where: str, document: object) -> Fault:
    if not isinstance(document, Mapping):
        return Fault(where, f"must be a SupportBot or a Secret; it is {type_name(document)}")
    return Fault(f"{where}.kind", f"must be SupportBot or Secret; it is {shown(document.get('kind'))}")


def _documents(text: str, source: str) -> Iterator[tuple[str, Any]]:
    """Each document of the file that is not empty, with what messages call it.

    Raises:
        SpecError: The file is neither YAML nor JSON.
    """
    try:
        found = [json.loads(text)] if text.lstrip().startswith("{") else list(yaml.load_all(text, _Loader))
    except (yaml.YAMLError, ValueError) as exc:
        raise SpecError([_syntax_fault(exc)], source=source) from exc
    for number, document in enumerate(found, start=1):
        if document is not None:
            yield _place(number, document), document


def _place(number: int, document: object) -> str:
    match document:
        case {"kind": "Secret", "metadata": {"name": str(name)}}:
            return f"secret/{name}"
        case _:
            return f"document {number}"


def _syntax_fault(exc: Exception) -> Fault:
    if isinstance(exc, json.JSONDecodeError):
        return Fault(f"line {exc.lineno}, column {exc.colno}", f"is not JSON: {exc.msg}")
    if isinstance(exc, yaml.MarkedYAMLError) and exc.problem_mark:
        mark = exc.problem_mark
        return Fault(f"line {mark.line + 1}, column {mark.column + 1}", f"is not YAML: {exc.problem or exc.context}")
    return Fault("", f"it is not YAML: {exc}")


class _Loader(yaml.SafeLoader):
    """YAML as the API server reads it: keys are text and appear once, dates stay text."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[object] = set()
        for key_node, _ in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                continue
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                raise yaml.MarkedYAMLError(problem=f"the key {key} is not text", problem_mark=key_node.start_mark)
            if key in seen:
                raise yaml.MarkedYAMLError(problem=f"the key {key} appears twice", problem_mark=key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep=deep)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}

"""A bot's file in the making: the resource, its secrets, and how they become YAML."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from supportbot.spec import PLACEHOLDER, Provider

AI_SECRET = "ai"  # noqa: S105 (the name of a Secret)
ZOHO_SECRET = "zoho"  # noqa: S105 (the name of a Secret)

KEY_NAMES: Mapping[Provider, str] = {
    Provider.OPENAI: "openai",
    Provider.GEMINI: "google",
    Provider.ANTHROPIC: "anthropic",
    Provider.OPENAI_COMPATIBLE: "compatible",
}
"""The key of the Secret `ai` that holds each provider's API key."""

HINTS: Mapping[str, str] = {
    "jid": "the id of the WhatsApp group, such as 120363025246125486@g.us",
    "organizationID": "the number of the organization in Zoho Desk",
    "departmentID": "the number of the Zoho Desk department that gets the tickets",
    "client-id": "of the client in Zoho's API console",
    "client-secret": "of the client in Zoho's API console",
    "refresh-token": "of the client in Zoho's API console",
    **{key: f"the API key of {provider}" for provider, key in KEY_NAMES.items()},
}
"""What belongs in the place of a placeholder, by field."""

HEADER = """\
# A support bot and its secrets: keep this file to yourself.
# Run it here:        supportbot up {path}
# Or in a cluster:    kubectl apply -f {path}
"""


@dataclass(frozen=True)
class Draft:
    """What the file will hold."""

    name: str
    spec: Mapping[str, Any]
    """As in the file, in camelCase."""
    secrets: Mapping[str, Mapping[str, str]]
    """Secret → key → value; a value that is not known yet is the placeholder."""


def render(draft: Draft, path: str) -> str:
    """The file's text; a line that holds a placeholder says in a comment what belongs there."""
    bot = {
        "apiVersion": "supportbot.dev/v1alpha1",
        "kind": "SupportBot",
        "metadata": {"name": draft.name},
        "spec": draft.spec,
    }
    secrets = [
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": dict(values)}
        for name, values in draft.secrets.items()
        if values
    ]
    text = yaml.dump_all([bot, *secrets], Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1000)
    return HEADER.format(path=path) + "\n".join(map(_commented, text.splitlines())) + "\n"


def _commented(line: str) -> str:
    field, _, value = line.strip().removeprefix("- ").partition(": ")
    return f"{line}  # {HINTS[field]}" if value == PLACEHOLDER and field in HINTS else line


class _Dumper(yaml.SafeDumper):
    """Lists indented below their field, as people write them, and nothing by reference."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        del indentless
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: object) -> bool:
        del data
        return True

"""The bot that a replay runs: of a file, or one with the categories that ship."""

from collections.abc import Iterable
from pathlib import Path

import yaml

from supportbot.errors import UserError
from supportbot.export.chat import ExportedMessage
from supportbot.export.notices import language_of
from supportbot.spec import SupportBot, parse_bot


def default_bot(messages: Iterable[ExportedMessage]) -> SupportBot:
    """A bot without settings, in the language in which WhatsApp's own notices stand in the chat."""
    language = language_of(message.text for message in messages if message.system) or "es"
    document = {
        "apiVersion": "supportbot.dev/v1alpha1",
        "kind": "SupportBot",
        "metadata": {"name": "replay"},
        "spec": {"mode": "Shadow", "language": language, "whatsapp": {"groups": [{"jid": "1@g.us"}]}},
    }
    return parse_bot(document, source="the default bot")


def read_bot(path: Path) -> SupportBot:
    """The bot of a file; unlike `up`, a replay needs none of its secrets.

    Raises:
        UserError: The file cannot be read, holds no bot or several, or has faults; all are listed.
    """
    try:
        documents = list(yaml.safe_load_all(path.read_text(encoding="utf-8")))
    except OSError as exc:
        raise UserError(f"--bot: {str(path)!r} cannot be read ({exc.strerror}); `supportbot init` writes one") from exc
    except (UnicodeDecodeError, yaml.YAMLError) as exc:
        raise UserError(f"--bot: {str(path)!r} is no YAML; `supportbot init` writes one") from exc
    bots = [one for one in documents if isinstance(one, dict) and one.get("kind") != "Secret"]
    if len(bots) != 1:
        raise UserError(f"--bot: {str(path)!r} must hold one SupportBot; it holds {len(bots)}")
    return parse_bot(bots[0], source=str(path))

"""`supportbot labels`: what people of a bot's groups said about its decisions, for training and evaluation."""

from pathlib import Path
from typing import Annotated

import typer

from supportbot.bus import Bus
from supportbot.classifier.examples import Example, dump_examples, make_examples
from supportbot.classifier.labels import Label
from supportbot.cli.broker import DEFAULT_URL, CAOption, CredsOption, Place, URLOption, with_bus
from supportbot.topology import Bucket


def labels_command(
    bot: Annotated[str, typer.Argument(metavar="BOT", help="The bot's name.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", dir_okay=False, help="Where they go.")],
    url: URLOption = DEFAULT_URL,
    creds: CredsOption = None,
    ca: CAOption = None,
) -> None:
    """Write the labels of a bot as JSON lines: corrections by reactions and answers, with redacted texts."""
    examples = with_bus(Place(url, bot, creds, ca), _read, service="labels")
    output.write_text(dump_examples(examples), encoding="utf-8")
    counting = sum(one.trains for one in examples)
    typer.echo(f"{len(examples)} labels of {bot}, {counting} of them certain enough to train on: {output}", err=True)


async def _read(bus: Bus) -> list[Example]:
    entries = await (await bus.bucket(Bucket.LABELS)).items()
    return make_examples(Label.model_validate_json(entry.value) for entry in entries.values())

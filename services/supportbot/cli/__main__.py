"""The commands of `supportbot`, each a function of its module; wrong input ends with one sentence and status 2."""

import logging
import sys
from typing import Annotated

import structlog
import typer
from rich.console import Console

from supportbot import __version__
from supportbot.cli import dlq
from supportbot.cli.demo.command import demo_command
from supportbot.cli.evaluate.eval_command import eval_command
from supportbot.cli.evaluate.label_command import label_command
from supportbot.cli.init import init_command
from supportbot.cli.labels import labels_command
from supportbot.cli.replay.command import replay_command
from supportbot.cli.up import up_command
from supportbot.cli.whatsapp.commands import groups_command, pair_command, unpair_command
from supportbot.errors import PermanentError, TemporaryError, UserError

app = typer.Typer(
    name="supportbot",
    help="From the chatter of a WhatsApp group to one Zoho Desk ticket per incident.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("demo")(demo_command)
app.command("replay")(replay_command)
app.command("label")(label_command)
app.command("eval")(eval_command)
app.command("labels")(labels_command)
app.command("init")(init_command)
app.command("up")(up_command)
app.command("pair")(pair_command)
app.command("unpair")(unpair_command)
app.command("groups")(groups_command)
app.add_typer(dlq.app, name="dlq", help="Dead letters: list, show, replay or drop them.")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Options that stand before the command."""


def main() -> None:
    """Run the command line."""
    # The commands speak for themselves; of the bus in this process only warnings are of interest.
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    try:
        app()
    except (UserError, TemporaryError, PermanentError) as exc:
        Console(stderr=True).print(
            f"supportbot: {exc}", style="bold red", markup=False, highlight=False, soft_wrap=True
        )
        sys.exit(2)


if __name__ == "__main__":
    main()

"""What the demo ends with: the tickets, and the ledger of messages."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from supportbot.cli.demo.desk import Ticket
from supportbot.contracts import Outcome
from supportbot.trail import Ledger

_MEANINGS = {
    Outcome.TICKET: "opened a ticket",
    Outcome.COMMENT: "became a comment of their incident's ticket",
    Outcome.EVIDENCE: "became attachments of their incident's ticket",
    Outcome.CORRECTION: "corrected an incident",
    Outcome.IGNORED: "ignored by a stated rule",
    Outcome.REVIEW: "wait for a person",
    Outcome.DEAD_LETTER: "dead letters",
    Outcome.UNDECRYPTABLE: "could not be decrypted",
}


def print_tickets(console: Console, tickets: Sequence[Ticket]) -> None:
    """One row per ticket of the emulated Zoho Desk."""
    table = Table(title=f"{len(tickets)} tickets in Zoho Desk", title_justify="left", title_style="bold", box=None)
    table.add_column("number", no_wrap=True)
    table.add_column("subject", max_width=50, overflow="fold")
    table.add_column("priority", no_wrap=True)
    table.add_column("messages", justify="right")
    table.add_column("attachments", justify="right")
    for ticket in tickets:
        table.add_row(ticket.number, ticket.subject, ticket.priority, str(ticket.messages), str(ticket.attachments))
    console.print()
    console.print(table)


def print_ledger(console: Console, ledger: Ledger) -> None:
    """What became of every message that was received."""
    counts = ledger.counts()
    console.print()
    console.print(f"{len(ledger.received)} messages received", style="bold", highlight=False)
    for outcome, meaning in _MEANINGS.items():
        if counts[outcome]:
            console.print(f"  {counts[outcome]:>4} {meaning}", highlight=False)
    missing = len(ledger.unaccounted())
    verdict = "nothing is unaccounted" if not missing else "the sum does not hold"
    style = "bold green" if not missing else "bold red"
    console.print(f"  {missing:>4} unaccounted: {verdict}", style=style, highlight=False)

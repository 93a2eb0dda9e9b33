"""Shows the group's life on the terminal: who said what, what the bot decided and why, and what it answered.

Rich and in colour on a terminal (readable at 100 columns); one plain line per fact when the output is a file or a pipe.
"""

from datetime import datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

from supportbot.contracts import Decision, Kind, Outcome, TrailEntry

WIDTH = 100
_COLOURS = (
    "cyan",
    "magenta",
    "yellow",
    "green",
    "blue",
    "bright_red",
    "bright_cyan",
    "bright_magenta",
)
_WORDS = {
    Kind.INCIDENT: "incident",
    Kind.FOLLOW_UP: "follow-up",
    Kind.EVIDENCE: "evidence",
    Kind.STAFF: "answer by staff",
    Kind.RESOLUTION: "resolution",
    Kind.CHATTER: "chatter",
}


class View:
    """Prints one block per message, in the order of the conversation."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._plain = not console.is_terminal
        self._labels: dict[str, str] = {}
        self._day = ""

    def label(self, incident_id: str) -> str:
        """A short name for an incident, `#1` for the first one seen."""
        return self._labels.setdefault(incident_id, f"#{len(self._labels) + 1}")

    def note(self, text: str) -> None:
        """A line about the demo itself."""
        self._console.print(text, style="dim", highlight=False, soft_wrap=self._plain)

    def message(self, at: datetime, author: str, text: str, entry: TrailEntry) -> None:
        """What somebody did in the group, and what became of it."""
        self._new_day(at)
        decided, style = self._decision(entry)
        self._block(f"{at:%H:%M}", author, Text(text), Text(decided, style=style))

    def answer(self, text: str) -> None:
        """What the bot said or how it reacted."""
        shown = " / ".join(text.splitlines()) if self._plain else text
        self._block("", "supportbot", Text(shown, style="green"), None)

    def _new_day(self, at: datetime) -> None:
        day = f"{at:%A %d %B}"
        if day != self._day:
            self._day = day
            self._console.print() if not self._plain else None
            self._console.print(f"— {day} —", style="bold dim", highlight=False)

    def _block(self, time: str, who: str, body: Text, decided: Text | None) -> None:
        if self._plain:
            self._console.print(f"{time:>5} {who}: {body.plain}", highlight=False, markup=False, soft_wrap=True)
            if decided is not None:
                self._console.print(f"      -> {decided.plain}", highlight=False, markup=False, soft_wrap=True)
            return
        table = Table.grid(padding=(0, 1))
        table.add_column(width=5, style="dim")
        table.add_column(width=19, no_wrap=True, style="bold" if decided is not None else "bold green")
        table.add_column(width=min(self._console.width, WIDTH) - 27)
        table.add_row(time, who, body)
        if decided is not None:
            table.add_row("", "", Text("╰ ", style=decided.style) + decided)
        self._console.print(table)

    def _decision(self, entry: TrailEntry) -> tuple[str, str]:
        decision = entry.decision
        why = "; ".join(entry.reasons or (decision.reasons if decision else ()))
        if decision is None:
            return f"{entry.outcome.value} · {why}", "dim"
        by = describe_tier(decision)
        if decision.incident_id is None:
            kind = _WORDS[decision.kind]
            asks = ", asks the group" if decision.asks else ""
            fate = "" if entry.outcome is Outcome.REVIEW else f", {entry.outcome.value}"
            return f"{kind}{asks}{fate} · {by} · {why}", "dim"
        label = self.label(decision.incident_id)
        colour = _COLOURS[(int(label[1:]) - 1) % len(_COLOURS)]
        if decision.opens:
            facts = f"{decision.category} · {decision.priority} · {by}"
            return f"● OPENS INCIDENT {label} · {facts} · {why}", f"bold {colour}"
        return f"{_WORDS[decision.kind]} of {label} · {by} · {why}", colour


def describe_tier(decision: Decision) -> str:
    """Which tier decided, and how sure it is of it."""
    return f"{decision.tier} {decision.confidence:.2f}{' (degraded)' if decision.degraded else ''}"

"""A conversation message by message: what people say of it, what the tier made of it, and why. For reading mistakes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from supportbot.contracts import Decision
from supportbot.evaluation.conversation import Conversation, Labelled
from supportbot.evaluation.outcome import Outcome
from supportbot.evaluation.run import Course, to_outcome
from supportbot.whatsapp.convert import clean_text

_ALONE = "–"


@dataclass(frozen=True)
class Told:
    """One message."""

    mark: str
    """` ` right, `!` of an incident and wrong, `~` of none and wrong."""
    labelled: Labelled
    where: str
    """The labelled incident that its predicted one opened on."""
    decision: Decision | None
    opens: bool

    def __str__(self) -> str:
        one, decision = self.labelled, self.decision
        media = f"[{one.message.media.kind}] " if one.message.media else ""
        text = clean_text(" ".join(f"{media}{one.message.text}".split()))[:60]
        said = f"{one.id:>5} {clean_text(one.name)[:10]:<10} {one.role[:8]:<8} {'/'.join(one.incidents):<4}"
        why = "; ".join(decision.reasons) if decision else ""
        return f"{self.mark} {said} {self.where:<6} {self._kind:<10} {text:<60} {why}".rstrip()

    @property
    def _kind(self) -> str:
        if self.opens or self.decision is None:
            return "OPENS" if self.opens else ""
        return "asks" if self.decision.asks else self.decision.kind.value


def tell(conversation: Conversation, course: Course, *, mistakes_only: bool) -> Iterator[Told]:
    """Each message in its order, or only those that are not where people see them."""
    outcome = to_outcome(conversation, course)
    names = _names(conversation, outcome)
    for one in conversation.messages:
        prediction = outcome.predictions.get(one.id)
        where = names.get(prediction.incident or "", _ALONE) if prediction else _ALONE
        right = where in one.incidents if one.incidents else where == _ALONE
        mark = " " if right else "!" if one.incidents else "~"
        decision = course.decisions.get(one.message.message_ref)
        if not (mistakes_only and right):
            yield Told(mark, one, where, decision, prediction is not None and prediction.opens)


def _names(conversation: Conversation, outcome: Outcome) -> Mapping[str, str]:
    """The first predicted incident that opens on a labelled one is called like it, the next ones `A'`; others `?`."""
    names: dict[str, str] = {}
    for one in conversation.messages:
        prediction = outcome.predictions.get(one.id)
        if prediction is None or not prediction.opens or prediction.incident is None:
            continue
        free = next((name for name in one.incidents if name not in names.values()), None)
        names[prediction.incident] = free or (f"{one.incidents[0]}'" if one.incidents else "?")
    return names

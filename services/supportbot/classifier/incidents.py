"""From a message, its verdict and the memory to a decision: `assemble`. Pure: no clock, no I/O.

Read from here: `assemble` takes what waited too long first, then decides on the message, then remembers it.
"""

import math
from dataclasses import replace

from supportbot.classifier.asking import ORDERS, settle_by_words
from supportbot.classifier.assembly import (
    Assembly,
    continue_incident,
    hold,
    leave,
    let_wait,
    open_incident,
    take_back,
)
from supportbot.classifier.attachments import (
    EXPLAINED_WITHIN,
    answer_photo,
    explain_photo,
    open_unexplained,
    photos_of_this,
    place_attachment,
)
from supportbot.classifier.budgets import opening_limit
from supportbot.classifier.choice import ChoiceWeights, Ranked, rank, shipped_choice, weights_for
from supportbot.classifier.linking import Link
from supportbot.classifier.memory import MAX_TEXT, Incident, Memory, Recent
from supportbot.classifier.options import Option, Options, Way, list_options
from supportbot.classifier.people import count_people
from supportbot.classifier.scene import CONFIDENCE_AT_ZERO, Policy, Scene
from supportbot.classifier.verdict import INJECTION, MODEL_DISAGREES, NEEDS_REVIEW, Verdict
from supportbot.contracts import Decision, Kind, MessageClassified, MessageReceived, Tier

TELLS_NOTHING = -1.0
"""Log-odds below which words tell nothing by themselves: the photo before them is the report."""
CLEAR_REPORT = 0.3
"""Log-odds from which the words alone tell a report: whatever else speaks against it, people are asked."""
FRAGMENT = "fragment waits for more words"
"""Why a text waits that names something and says nothing of it."""
LEAST_WITHOUT_MODEL = 0.45
"""What a language model says must be at least so likely by the words and the conversation alone; else a person looks.
So nobody who talks a model into something opens a ticket by it, or gets into somebody else's."""
DEGRADED_CONFIDENCE = 0.8
"""The most that a decision is sure of when the models were away."""


def assemble(
    memory: Memory,
    message: MessageReceived,
    verdict: Verdict,
    policy: Policy | None = None,
    choice: ChoiceWeights | None = None,
) -> tuple[Assembly, Memory]:
    """Decide on one message.

    Args:
        memory: Of the message's group, before it.
        message: Its `sent_at` is the only clock.
        verdict: Of `make_turn(memory, message)`, from whatever tier.
        policy: What the spec says.
        choice: Weights of the possibilities; those that ship by default.

    Returns:
        What became of the message, with earlier messages that it changed, and the memory after it.
    """
    scene, late, earlier = set_scene(memory, message, verdict, policy or Policy())
    assembly, memory = _decide(scene, scene.memory, choice or shipped_choice())
    assembly = _mark_degraded(assembly, verdict)
    assembly = replace(assembly, late=(*late, *assembly.late), earlier={**earlier, **assembly.earlier})
    assembly = _name_occasion(assembly, message)
    return assembly, _remember(scene, memory.with_decisions(assembly.earlier), assembly)


def _mark_degraded(assembly: Assembly, verdict: Verdict) -> Assembly:
    """Say of a decision that a better tier should have had a part in it; it is less sure for that."""
    if not verdict.degraded:
        return assembly
    confidence = min(assembly.decision.confidence, DEGRADED_CONFIDENCE)
    decision = assembly.decision.model_copy(update={"degraded": True, "confidence": confidence})
    return replace(assembly, decision=decision)


def set_scene(
    memory: Memory, message: MessageReceived, verdict: Verdict, policy: Policy
) -> tuple[Scene, tuple[MessageClassified, ...], dict[str, Decision]]:
    """The scene of a message, once what waited too long by its time was taken.

    Returns:
        The scene, the incidents that photos opened for that reason, and the decisions that this changed.
    """
    scene = Scene(memory.forget(message.sent_at), message, verdict, policy)
    late, earlier, memory = open_unexplained(scene, scene.memory)
    return replace(scene, memory=memory), late, earlier


def _name_occasion(assembly: Assembly, message: MessageReceived) -> Assembly:
    """Write into what opens only now on which message it did."""

    def name(decision: Decision) -> Decision:
        return decision.model_copy(update={"opened_on": message.message_ref}) if decision.opens else decision

    late = tuple(event.model_copy(update={"decision": name(event.decision)}) for event in assembly.late)
    named = {event.message_ref: event.decision for event in late if event.decision.opens}
    return replace(assembly, late=late, earlier={**assembly.earlier, **named})


def _decide(scene: Scene, memory: Memory, choice: ChoiceWeights) -> tuple[Assembly, Memory]:
    message = scene.message
    if INJECTION in scene.verdict.flags:
        return hold(scene, memory, ORDERS)
    if (settled := settle_by_words(scene, memory)) is not None:
        return settled
    if message.quoted_ref in memory.held:
        return leave(scene, memory, Kind.CHATTER, "speaks of what waits for a person")
    if not message.text.strip() and not message.mentions:
        if message.media is not None or message.note in {"location", "contact"}:
            return place_attachment(scene, memory)
        return leave(scene, memory, Kind.CHATTER, "has neither text nor attachment")
    options = list_options(scene)
    ranked = rank(options, weights_for(scene.verdict.tier, choice), open_shift=scene.policy.open_at)
    best = _insisted_on(scene, ranked) or ranked[0]
    if scene.verdict.tier is Tier.MODEL and _share_without_model(scene, best.option, choice) < LEAST_WITHOUT_MODEL:
        return hold(scene, memory, "only the language model says so")
    match best.option.way:
        case Way.OPEN:
            return _open(scene, memory, options, best)
        case Way.PHOTO:
            return answer_photo(scene, memory, best.option.photos)
        case Way.FOLLOW:
            assert best.option.link is not None
            return _follow(scene, memory, best.option.link)
        case Way.LEAVE:
            return _leave(scene, memory, options, ranked)


def _share_without_model(scene: Scene, option: Option, choice: ChoiceWeights) -> float:
    """How likely the possibility is by the tier before the language model."""
    verdict = scene.verdict
    alone = verdict.model_copy(update={"kinds": verdict.local, "tier": Tier.LOCAL, "incident_id": None})
    ranked = rank(list_options(replace(scene, verdict=alone)), weights_for(Tier.LOCAL, choice))
    incident = option.link.incident.incident_id if option.link else None
    return sum(
        one.share
        for one in ranked
        if one.option.way is option.way
        and (one.option.link.incident.incident_id if one.option.link else None) == incident
    )


def _insisted_on(scene: Scene, ranked: list[Ranked]) -> Ranked | None:
    """The author's own incident, when a text that seems to belong to nothing insists or only calls somebody."""
    s, verdict = scene.verdict.signals, scene.verdict
    calls = bool(scene.message.mentions) and not verdict.tokens and not s.thanks and not s.greeting
    if ranked[0].option.way is not Way.LEAVE or not (calls or s.insistence >= 1.2):
        return None
    return next((one for one in ranked if one.option.link and one.option.link.incident in scene.all_own), None)


def _open(scene: Scene, memory: Memory, options: Options, best: Ranked) -> tuple[Assembly, Memory]:
    """Open an incident, and take the author's last photos along, even if they were put in the incident before."""
    if (doubt := _doubt(scene) or opening_limit(memory, scene.message)) is not None:
        return hold(scene, memory, doubt)
    photos = tuple(one for one in scene.waiting if one.media and scene.now - one.sent_at <= EXPLAINED_WITHIN)
    if photos and options.report.score < TELLS_NOTHING:
        return explain_photo(scene, memory, photos)
    if not photos and scene.message.media is None and scene.is_fragment:
        return let_wait(scene, memory, FRAGMENT)
    confidence = 1 / (1 + math.exp(-_log_odds(best.share) - CONFIDENCE_AT_ZERO))
    taken = photos_of_this(scene)
    memory = take_back(memory, tuple(one.message_ref for one in taken))
    reasons = options.report.reasons[:4] or ("reads like a report",)
    return open_incident(scene, memory, reasons, confidence=round(min(0.97, max(0.5, confidence)), 2), taken=taken)


def _doubt(scene: Scene) -> str | None:
    """Why a person looks first, though it looks like a report."""
    flags = scene.verdict.flags
    if MODEL_DISAGREES in flags:
        return "the model and the tier before it disagree"
    return "the model asks for a person" if NEEDS_REVIEW in flags else None


def _leave(scene: Scene, memory: Memory, options: Options, ranked: list[Ranked]) -> tuple[Assembly, Memory]:
    """The text goes on with nothing: it is chatter, or waits for more words or for an answer."""
    s, verdict = scene.verdict.signals, scene.verdict
    own = scene.own
    if own is not None and s.thanks and own.answered and scene.age_min(own.last_at) <= 60:
        memory = memory.with_incident(own.model_copy(update={"thanked_at": scene.now}))
    opening = next(one for one in ranked if one.option.way is Way.OPEN)
    close = ranked[0].score - opening.score <= scene.policy.ask_band
    clear = scene.policy.ask_band > 0 and options.report.score >= CLEAR_REPORT and not scene.solves
    if (close or clear) and s.courtesy < 0.7:
        return let_wait(scene, memory, "unsure whether it reports something", asks=True)
    if s.insistence >= 1.2:
        return leave(scene, memory, Kind.FOLLOW_UP, "insists on something that is not remembered")
    starts = verdict.numbers or s.request or s.problem or s.object
    if options.report.score >= -1.6 and starts and not s.announcement and not scene.solves and s.courtesy < 0.7:
        return let_wait(scene, memory, FRAGMENT)
    if s.announcement >= 1.6:
        return leave(scene, memory, Kind.CHATTER, "announces something to all", confidence=round(ranked[0].share, 2))
    reason = "is courtesy" if s.courtesy > 0.7 else "reports nothing and fits no incident"
    return leave(scene, memory, Kind.CHATTER, reason, confidence=round(ranked[0].share, 2))


def _is_answered(scene: Scene, incident: Incident) -> bool:
    """Whether the last word in the incident is an answer of the last hour, so that a short assent confirms it."""
    last = max(incident.seen.values(), default=incident.last_at)
    own = incident.seen.get(scene.author)
    return incident.answered and own is not None and own < last and scene.age_min(last) <= 60


def _follow(scene: Scene, memory: Memory, link: Link) -> tuple[Assembly, Memory]:
    s = scene.verdict.signals
    reporter = link.incident.reporter == scene.author
    if scene.solves and not reporter:
        kind = Kind.RESOLUTION if s.resolution >= 1.2 and not s.question else Kind.STAFF
        return continue_incident(scene, memory, link.incident, kind, _link_reasons("answers", link))
    resolves = (
        s.resolution >= (0.8 if _is_answered(scene, link.incident) and scene.verdict.length <= 40 else 1.6)
        and not (scene.question is not None and scene.verdict.length <= 4)
        and s.insistence < 1.2
        and not s.question
        and s.problem < 1.2
    )
    if resolves:
        least = 0.35 if link.incident.resolved_by == scene.author or scene.numbers else 0.72
        if link.incident.resolved_at is not None and reporter and s.courtesy >= least:
            return leave(scene, memory, Kind.CHATTER, "confirms what is resolved already")
        return continue_incident(
            scene, memory, link.incident, Kind.RESOLUTION, _link_reasons("says that it is solved", link)
        )
    answers = not reporter and s.answer >= 1.0 and s.same_case == 0
    kind = Kind.EVIDENCE if scene.message.media else Kind.STAFF if answers else Kind.FOLLOW_UP
    word = "insists" if s.insistence >= 1.2 else "answers" if answers else "goes on"
    return continue_incident(scene, memory, link.incident, kind, _link_reasons(word, link))


def _log_odds(share: float) -> float:
    share = min(max(share, 0.001), 0.999)
    return math.log(share / (1 - share))


def _link_reasons(word: str, link: Link) -> tuple[str, ...]:
    return (word, *link.reasons[:3])


def _remember(scene: Scene, memory: Memory, assembly: Assembly) -> Memory:
    message, decision, verdict = scene.message, assembly.decision, scene.verdict
    recent = Recent(
        ref=message.message_ref,
        author=scene.author,
        at=message.sent_at,
        kind=decision.kind,
        incident_id=decision.incident_id,
        text=message.text[:MAX_TEXT],
        media=message.media if message.media and message.media.kind != "sticker" else None,
        staff=scene.solves,
        asked=verdict.signals.question and (scene.solves or verdict.signals.answer >= 1.2),
        quoted=message.quoted_incident or message.quoted_ref,
        decision=decision,
    )
    memory = memory.with_person(message.sender)
    if message.sender.staff and not memory.staff_listed:
        memory = memory.model_copy(update={"staff_listed": True})
    return count_people(scene, memory.with_recent(recent).with_sites(verdict.sites), decision)

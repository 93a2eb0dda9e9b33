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
    find_lonely_photo,
    open_unexplained,
    photos_of_this,
    place_attachment,
)
from supportbot.classifier.budgets import opening_limit
from supportbot.classifier.linking import Link, rank_links
from supportbot.classifier.memory import MAX_TEXT, Incident, Memory, Recent
from supportbot.classifier.opening import weigh_continuations, weigh_report
from supportbot.classifier.people import count_people
from supportbot.classifier.scene import CONFIDENCE_AT_ZERO, Policy, Scene
from supportbot.classifier.verdict import INJECTION, MODEL_DISAGREES, NEEDS_REVIEW, Verdict
from supportbot.contracts import Decision, Kind, MessageReceived

COLLEAGUES = "talks with colleagues"
DEGRADED_CONFIDENCE = 0.8
"""The most that a decision is sure of when the models were away."""


def assemble(
    memory: Memory, message: MessageReceived, verdict: Verdict, policy: Policy | None = None
) -> tuple[Assembly, Memory]:
    """Decide on one message.

    Args:
        memory: Of the message's group, before it.
        message: Its `sent_at` is the only clock.
        verdict: Of `make_turn(memory, message)`, from whatever tier.
        policy: What the spec says.

    Returns:
        What became of the message, with earlier messages that it changed, and the memory after it.
    """
    memory = memory.forget(message.sent_at)
    scene = Scene(memory, message, verdict, policy or Policy())
    late, earlier, memory = open_unexplained(scene, memory)
    scene = replace(scene, memory=memory)
    assembly, memory = _decide(scene, memory)
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


def _name_occasion(assembly: Assembly, message: MessageReceived) -> Assembly:
    """Write into what opens only now on which message it did."""

    def name(decision: Decision) -> Decision:
        return decision.model_copy(update={"opened_on": message.message_ref}) if decision.opens else decision

    late = tuple(event.model_copy(update={"decision": name(event.decision)}) for event in assembly.late)
    named = {event.message_ref: event.decision for event in late if event.decision.opens}
    return replace(assembly, late=late, earlier={**assembly.earlier, **named})


def _decide(scene: Scene, memory: Memory) -> tuple[Assembly, Memory]:
    message = scene.message
    if INJECTION in scene.verdict.flags:
        return hold(scene, memory, ORDERS)
    if (settled := settle_by_words(scene, memory)) is not None:
        return settled
    if not message.text.strip() and not message.mentions:
        if message.media is not None or message.note in {"location", "contact"}:
            return place_attachment(scene, memory)
        return leave(scene, memory, Kind.CHATTER, "has neither text nor attachment")
    if scene.solves:
        return _decide_solver(scene, memory)
    return _decide_member(scene, memory)


def _decide_solver(scene: Scene, memory: Memory) -> tuple[Assembly, Memory]:
    """A message of somebody who solves: an answer, seldom a report."""
    s, links = scene.verdict.signals, rank_links(scene)
    if s.announcement >= 1.6 and scene.quoted is None and not s.report and not s.resolution:
        return leave(scene, memory, Kind.CHATTER, "announces something to all")
    best = links[0] if links else None
    news = scene.message.forwarded or s.report > 0 or s.problem >= 1.2
    if s.to_all and scene.verdict.length >= 50 and not news and not _is_tied(best):
        return leave(scene, memory, Kind.CHATTER, "speaks to all")
    report = weigh_report(scene)
    passes_on = s.report > 0 or scene.message.forwarded or bool(scene.waiting)
    tells = s.problem >= 1.2 and (len(scene.verdict.sites) >= 2 or (bool(scene.verdict.sites) and s.greeting > 0))
    begins = passes_on or tells or s.request >= 1.2
    score = report.score + 1.3 * (passes_on or tells) + 0.7 * scene.message.forwarded + 0.6 * bool(s.greeting)
    if score >= 1.0 and begins and not _is_known(scene, best):
        if (doubt := opening_limit(memory, scene.message) or _doubt(scene)) is not None:
            return hold(scene, memory, doubt)
        return open_incident(scene, memory, ("somebody who solves passes it on", *report.reasons[:3]), confidence=0.65)
    lonely = find_lonely_photo(scene, memory, best)
    if lonely:
        return answer_photo(scene, memory, lonely)
    if s.courtesy > 0.7 and not s.resolution:
        return leave(scene, memory, Kind.CHATTER, "is courtesy")
    if best is None or best.score < -2.5:
        return leave(scene, memory, Kind.STAFF, "answers, but no open incident fits")
    kind = Kind.RESOLUTION if s.resolution >= 1.2 and not s.question else Kind.STAFF
    return continue_incident(scene, memory, best.incident, kind, _link_reasons("answers", best))


def _is_tied(best: Link | None) -> bool:
    """Whether more than time ties the message to an incident."""
    ties = ("quotes", "addresses", "names", "shares")
    return best is not None and any(reason.startswith(ties) for reason in best.reasons)


def _is_known(scene: Scene, best: Link | None) -> bool:
    """Whether what somebody who solves says belongs to an incident that is known already.

    A store's number alone does not tie a report to what else that store had: the fault must be open, and be the same
    in a word or in time.
    """
    if best is None:
        return False
    if any(reason.startswith(("quotes", "addresses")) for reason in best.reasons):
        return True
    if not any(reason.startswith("names") for reason in best.reasons):
        return False
    incident = best.incident
    if scene.verdict.numbers & set(incident.documents) or not scene.verdict.signals.report:
        return True
    shares = bool(set(scene.verdict.tokens) & set(incident.tokens))
    return incident.resolved_at is None and (shares or scene.age_min(incident.last_at) <= 15)


def _decide_member(scene: Scene, memory: Memory) -> tuple[Assembly, Memory]:
    """A text of somebody who reports or takes part."""
    s, links = scene.verdict.signals, rank_links(scene)
    best = links[0] if links else None
    if scene.quoted is not None and best is not None and best.incident is scene.quoted and not _is_courtesy(scene):
        return _follow(scene, memory, best)
    if _is_courtesy(scene):
        return _decide_courtesy(scene, memory, best)
    report = weigh_report(scene)
    if (joined := _same_case(scene, links, report.score)) is not None:
        return continue_incident(
            scene, memory, joined.incident, Kind.FOLLOW_UP, ("says that it is the same case", *joined.reasons[:2])
        )
    continued = weigh_continuations(scene)
    continuation = continued[0].score if continued is not None else -math.inf
    if report.score >= scene.policy.open_at and report.score > continuation and not _answers_colleague(scene):
        reasons = report.reasons[:4]
        return _open(scene, memory, reasons, 1 / (1 + math.exp(-report.score - CONFIDENCE_AT_ZERO)))
    own_first = best is not None and (
        best.incident.reporter == scene.author or (s.insistence >= 1.2 and best.score < 0)
    )
    if continued is not None and continuation > 1.2 and own_first:
        best = next((link for link in links if link.incident is continued[1]), best)
    apart = best is None or not _has_part(scene, best.incident)
    if s.peers >= 1 or _answers_colleague(scene) or (s.laughs and apart and not scene.verdict.numbers):
        return leave(scene, memory, Kind.CHATTER, COLLEAGUES)
    if s.announcement >= 1.6 and s.insistence < 1.2 and not s.resolution:
        return leave(scene, memory, Kind.CHATTER, "announces something to all")
    if continuation < 0.5:
        photos = tuple(one for one in scene.waiting if one.media)
        if photos and scene.now - photos[-1].sent_at <= EXPLAINED_WITHIN:
            return explain_photo(scene, memory, photos)
    if best is not None and (_is_murmur(scene) or _adds_nothing(scene, best)):
        return leave(scene, memory, Kind.CHATTER, "adds nothing that anybody asked for", confidence=0.6)
    if best is not None and continued is not None and best.incident is continued[1] and continuation > 1.2:
        return _follow(scene, memory, best)
    if best is not None and best.score >= (-0.5 if best.incident.reporter == scene.author else -0.3):
        return _follow(scene, memory, best)
    if s.insistence >= 1.2:
        return leave(scene, memory, Kind.FOLLOW_UP, "insists on something that is not remembered")
    if report.score >= scene.policy.open_at - scene.policy.ask_band:
        return let_wait(scene, memory, "unsure whether it reports something", asks=True)
    if report.score >= -1.6 and (scene.verdict.numbers or s.request or s.problem or s.object) and not s.announcement:
        return let_wait(scene, memory, "fragment waits for more words")
    if scene.follows_itself and best is not None and best.score >= 0:
        return _follow(scene, memory, best)
    return leave(scene, memory, Kind.CHATTER, "reports nothing and fits no incident", confidence=0.5)


def _is_courtesy(scene: Scene) -> bool:
    s, verdict = scene.verdict.signals, scene.verdict
    if scene.message.mentions and not verdict.tokens and s.courtesy >= 1.0 and not s.thanks and not s.greeting:
        return False
    if s.request >= 1 or s.problem >= 1 or s.insistence >= 1.2 or verdict.numbers:
        return False
    if s.thanks >= 1.0 and len(verdict.tokens) <= 2 and max(s.detail, s.object, s.answer) < 0.5 and not s.question:
        return True
    if s.greeting and len(verdict.tokens) <= 3 and max(s.detail, s.object, s.answer, s.resolution, s.same_case) < 0.5:
        return scene.message.media is None and not s.question
    return s.courtesy > 0.7 or (s.thanks >= 0.8 and s.courtesy >= 0.35 and verdict.length <= 60) or s.small_talk >= 1.5


def _answers_colleague(scene: Scene) -> bool:
    """Whether the message before was talk between colleagues, and this one tells no problem."""
    previous, s = scene.previous, scene.verdict.signals
    if previous is None or scene.age_min(previous.at) > 10 or scene.message.media is not None:
        return False
    talks = previous.decision.reasons[:1] == (COLLEAGUES,)
    return talks and previous.author != scene.author and max(s.problem, s.insistence, s.greeting) < 1


def _is_murmur(scene: Scene) -> bool:
    """A few letters without any signal, and not behind a question: an assent in words that no list holds."""
    verdict, s = scene.verdict, scene.verdict.signals
    if (
        verdict.length > 15
        or any(char.isdigit() for char in scene.message.text)
        or s.question
        or scene.message.mentions
        or scene.question is not None
    ):
        return False
    return max(s.problem, s.request, s.insistence, s.detail, s.resolution, s.same_case, s.answer) < 0.8


def _adds_nothing(scene: Scene, best: Link) -> bool:
    """Small words to an incident that is over, or that the group has left: neither sign nor number nor shared word."""
    verdict, s, incident = scene.verdict, scene.verdict.signals, best.incident
    if verdict.numbers or scene.message.mentions or s.question:
        return False
    if max(s.problem, s.request, s.insistence, s.detail, s.resolution, s.same_case, s.answer, s.object) >= 0.5:
        return False
    if verdict.length > 40 or set(verdict.tokens) & set(incident.tokens):
        return False
    if scene.author not in incident.seen:
        return scene.memory.staff_listed  # Without a list it may be an answer of somebody who solves.
    if scene.question is not None or not incident.told:
        return False
    return s.laughs > 0 or incident.resolved_at is not None or scene.age_min(incident.last_at) > 20


def _decide_courtesy(scene: Scene, memory: Memory, best: Link | None) -> tuple[Assembly, Memory]:
    """Thanks and assent open and reopen nothing; "listo, gracias" of the reporter resolves what is still open."""
    s = scene.verdict.signals
    if (
        s.resolution >= (0.8 if best is not None and _is_answered(scene, best.incident) else 1.6)
        and best is not None
        and _has_part(scene, best.incident)
        and (best.incident.resolved_at is None or s.courtesy < 0.72)
    ):
        return continue_incident(scene, memory, best.incident, Kind.RESOLUTION, ("says that it is solved",))
    own = scene.own
    if own is not None and s.thanks and own.answered and scene.age_min(own.last_at) <= 60:
        memory = memory.with_incident(own.model_copy(update={"thanked_at": scene.now}))
    return leave(scene, memory, Kind.CHATTER, "is courtesy", confidence=0.85)


def _is_answered(scene: Scene, incident: Incident) -> bool:
    """Whether the last word in the incident is an answer of the last hour, so that a short assent confirms it."""
    last = max(incident.seen.values(), default=incident.last_at)
    own = incident.seen.get(scene.author)
    return incident.answered and own is not None and own < last and scene.age_min(last) <= 60


def _has_part(scene: Scene, incident: Incident) -> bool:
    return incident.reporter == scene.author or any(one.ref == scene.author for one in incident.state.affected)


def _same_case(scene: Scene, links: list[Link], report: float) -> Link | None:
    """The incident that the author joins with "mismo caso", "igual acá"."""
    s, verdict = scene.verdict.signals, scene.verdict
    previous = scene.previous_incident
    spreading = previous is not None and bool(previous.state.affected) and scene.age_min(previous.last_at) <= 15
    if s.same_case < (0.8 if spreading else 1.6) or (verdict.length > 90 and s.greeting):
        return None
    if (s.insistence >= 1.2 and scene.own is not None) or (s.same_case < 1.8 and report >= 0.8 and not spreading):
        return None
    lively = [link for link in links if link.incident.reporter != scene.author]
    lively = [link for link in lively if scene.age_min(link.incident.last_at) <= 90]
    if not lively:
        return None
    by_site = next((link for link in lively if verdict.numbers & set(link.incident.state.sites)), None)
    return by_site or next((link for link in lively if link.incident is previous), lively[0])


def _follow(scene: Scene, memory: Memory, link: Link) -> tuple[Assembly, Memory]:
    s = scene.verdict.signals
    reporter = link.incident.reporter == scene.author
    resolves = (
        s.resolution >= (0.8 if _is_answered(scene, link.incident) and scene.verdict.length <= 40 else 1.6)
        and not (scene.question is not None and scene.verdict.length <= 4)
        and s.insistence < 1.2
        and not s.question
        and s.problem < 1.2
    )
    if resolves:
        if link.incident.resolved_at is not None and reporter and s.courtesy >= 0.35:
            return leave(scene, memory, Kind.CHATTER, "confirms what is resolved already")
        return continue_incident(
            scene, memory, link.incident, Kind.RESOLUTION, _link_reasons("says that it is solved", link)
        )
    answers = not reporter and s.answer >= 1.0 and s.same_case == 0
    kind = Kind.EVIDENCE if scene.message.media else Kind.STAFF if answers else Kind.FOLLOW_UP
    word = "insists" if s.insistence >= 1.2 else "answers" if answers else "goes on"
    return continue_incident(scene, memory, link.incident, kind, _link_reasons(word, link))


def _open(scene: Scene, memory: Memory, reasons: tuple[str, ...], confidence: float) -> tuple[Assembly, Memory]:
    """Open, and take the author's last photos along, even if they were put in the incident before."""
    if (limit := opening_limit(memory, scene.message)) is not None:
        return hold(scene, memory, limit)
    if (doubt := _doubt(scene)) is not None:
        return let_wait(scene, memory, doubt, asks=scene.policy.ask_band > 0)
    taken = photos_of_this(scene)
    memory = take_back(memory, tuple(one.message_ref for one in taken))
    return open_incident(scene, memory, reasons, confidence=round(min(0.97, max(0.5, confidence)), 2), taken=taken)


def _doubt(scene: Scene) -> str | None:
    """Why a person looks first, though the words say that it is a report."""
    flags = scene.verdict.flags
    if MODEL_DISAGREES in flags:
        return "the model and the tier before it disagree"
    return "the model asks for a person" if NEEDS_REVIEW in flags else None


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

"""What the tiers cost: milliseconds of a message, and the memory of this process before and after.

    python -m tests.benchmarks.local_tier [--tier local]

A process of its own, so that the memory is the tier's. Every message is judged for the first time, as in live
operation; texts that repeat are as rare as in the invented groups.
"""

import argparse
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.conversations import CONVERSATIONS, POLICY

from supportbot.classifier.incidents import assemble
from supportbot.classifier.memory import Memory
from supportbot.classifier.turn import judge_by_keywords, make_turn
from supportbot.evaluation.conversation import Conversation, make_conversation, read_rows
from supportbot.evaluation.run import Judge
from supportbot.evaluation.tiers import TierName


def rss_mb() -> float:
    """Resident memory of this process. Linux only."""
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":" in line)
    return int(fields["VmRSS"].split()[0]) / 1000


def load_judge(tier: TierName) -> Judge:
    """The tier as the service loads it, once."""
    if tier is TierName.KEYWORDS:
        return lambda turn: judge_by_keywords(turn, POLICY)
    from supportbot.classifier.local import load_local

    return load_local(POLICY).judge


def time_messages(judge: Judge, conversations: Sequence[Conversation]) -> tuple[list[float], list[float]]:
    """Milliseconds of each message with words in the tier, and of each message in all."""
    judged, all_of_it = [], []
    for conversation in conversations:
        memory = Memory()
        for one in conversation.messages:
            began = time.perf_counter()
            turn = make_turn(memory, one.message)
            asked = time.perf_counter()
            verdict = judge(turn)
            told = time.perf_counter()
            _, memory = assemble(memory, one.message, verdict, POLICY)
            all_of_it.append((time.perf_counter() - began) * 1000)
            if one.message.text.strip():
                judged.append((told - asked) * 1000)
    return judged, all_of_it


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description="Milliseconds and memory of a tier.")
    parser.add_argument("--tier", type=TierName, default=TierName.LOCAL, choices=[TierName.LOCAL, TierName.KEYWORDS])
    tier = parser.parse_args().tier
    paths = sorted(CONVERSATIONS.glob("*.jsonl"))
    conversations = [make_conversation(path.stem, read_rows(path)) for path in paths]
    before = rss_mb()
    began = time.perf_counter()
    judge = load_judge(tier)
    loaded_s, loaded = time.perf_counter() - began, rss_mb()
    judged, all_of_it = time_messages(judge, conversations)
    print(f"{tier}: loaded in {loaded_s:.1f} s, {loaded - before:.0f} MB more than the {before:.0f} MB without it,")
    print(f"  {rss_mb() - before:.0f} MB more after {len(all_of_it):,} messages")
    for name, values in (("a text in the tier", judged), ("a message in all", all_of_it)):
        cuts = statistics.quantiles(values, n=100)
        p50, p95, p99 = cuts[49], cuts[94], cuts[98]
        print(f"  {name:<18} p50 {p50:.1f} ms, p95 {p95:.1f} ms, p99 {p99:.1f} ms, most {max(values):.0f} ms")


if __name__ == "__main__":
    main()

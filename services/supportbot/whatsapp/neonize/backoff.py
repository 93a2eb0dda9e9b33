"""How long to wait between attempts to get a link. Pure but for its source of chance."""

import random
from dataclasses import dataclass, field

CAP_S = 300.0
SOON = 80
"""So many redials follow each other quickly: some two minutes."""
STABLE_S = 60.0
"""A link that has held so long begins the back-off anew."""


@dataclass
class Backoff:
    """Doubles from 1 s to 300 s, with full jitter, so that many bots do not come back in the same moment."""

    rng: random.Random = field(default_factory=random.SystemRandom)
    failures: int = 0

    def next_s(self) -> float:
        """The wait after one more failure."""
        ceiling = min(CAP_S, 2.0 ** min(self.failures, 16))
        self.failures += 1
        return self.rng.uniform(0, ceiling)

    def reset(self) -> None:
        """The link has held."""
        self.failures = 0


def redial_s(failures: int, rng: random.Random) -> float:
    """The wait before redialling a link that has worked before: short at first, for the server is often back soon.

    Args:
        failures: Redials that have failed so far.
        rng: Spreads the later ones.
    """
    return min(0.5 * failures, 1.0) if failures <= SOON else rng.uniform(5, 30)

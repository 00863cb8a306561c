"""Randomness for `--noise SEED`: slow starts, uneven tokens, tails and faults, the same for a seed.

Each request draws from a generator of its own, seeded by the seed and by how many requests came
before it, so the length of one answer never shifts the luck of the next.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from forerun.workers.standin.asks import Ask
from forerun.workers.standin.profiles import Profile, profile_of
from forerun.workers.standin.rules import Fault

_FAULT_SHARES: tuple[tuple[Fault, float], ...] = (("429", 0.005), ("500", 0.002), ("reset", 0.001))
_TAIL_SHARE, _TAIL_FACTOR = 0.01, 5.0
_PREFILL_SECONDS_PER_TOKEN = 0.1 / 1000
_SHORTEST_GAP = 0.1  # of the median gap


@dataclass(frozen=True, slots=True, kw_only=True)
class Disturbance:
    """The luck of one request."""

    ttft_seconds: float
    fault: Fault | None
    profile: Profile
    rng: random.Random

    def gaps(self, count: int) -> list[float]:
        """The seconds between `count` tokens and the end."""
        median = 1 / self.profile.tokens_per_second
        spread = (self.rng.gauss(1, self.profile.jitter) for _ in range(count))
        return [median * max(factor, _SHORTEST_GAP) for factor in spread]


class Noise:
    """The luck of all requests of one server."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._requests = 0

    def draw(self, ask: Ask) -> Disturbance:
        """The luck of the next request."""
        rng = random.Random(f"{self._seed}/{self._requests}")
        self._requests += 1
        profile = profile_of(ask.model)
        ttft = profile.ttft_seconds * math.exp(rng.gauss(0, profile.ttft_sigma))
        if rng.random() < _TAIL_SHARE:
            ttft *= _TAIL_FACTOR
        ttft += ask.input_tokens * _PREFILL_SECONDS_PER_TOKEN
        return Disturbance(ttft_seconds=ttft, fault=_fault(rng.random()), profile=profile, rng=rng)


def _fault(luck: float) -> Fault | None:
    for fault, share in _FAULT_SHARES:
        if luck < share:
            return fault
        luck -= share
    return None

"""The oracle: how soon a run could have been over, had the scheduler known which guesses are right.

It may use the same guesses at the same hits and nothing else. It starts a call the moment all its
inputs are known, from a result or from a right guess; it never starts a wrong one, and it takes no
time to think. Machines and providers are unlimited. So no scheduler can beat it on the same
durations, and what it saves is what all others are measured by.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RightGuess:
    """A guess that holds: known from the start, or as soon as `made_from` has a result."""

    made_from: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One call of a run: what it reads, how long it takes, and the right guess of its output."""

    reads: tuple[str, ...]
    seconds: float
    guess: RightGuess | None = None


def best_makespan(steps: Mapping[str, Step], ahead: Container[str] | None = None) -> float:
    """Seconds until every step is over and certain; `steps` come after what they read.

    Only steps in `ahead` may start before their inputs are certain: None allows all of them, which
    is the oracle's makespan, and an empty set none, which is that of a run without speculation.
    """
    ends: dict[str, float] = {}
    certain: dict[str, float] = {}
    for name, step in steps.items():
        may_run_ahead = ahead is None or name in ahead
        known = [_known(up, steps, ends) if may_run_ahead else certain[up] for up in step.reads]
        ends[name] = max(known, default=0.0) + step.seconds
        certain[name] = max([ends[name], *[certain[up] for up in step.reads]])
    return max(certain.values(), default=0.0)


def _known(name: str, steps: Mapping[str, Step], ends: Mapping[str, float]) -> float:
    """When the output of a step is known: by its own end, or by the right guess of it."""
    guess = steps[name].guess
    if guess is None:
        return ends[name]
    return min(ends[name], ends[guess.made_from] if guess.made_from else 0.0)

"""The inputs of the measured runs: which guesses come true in each, and how fast each step is.

Both are drawn with a fixed seed, and so that they come out exactly: of ten inputs at a hit rate of
0.7 every guess is right in seven, whichever these are.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from benchmarks import oracle
from benchmarks.steps import GUESSED, MISS, Shape, Step

PACES = {"fast": 0.68, "usual": 1.0, "slow": 1.47}
"""Factors on a step's seconds: quantiles 1/6, 1/2 and 5/6 of a lognormal with sigma 0.4."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One input: what each step will say, and at what pace."""

    id: str
    says: dict[str, str]
    pace: dict[str, str]

    @property
    def input(self) -> dict[str, dict[str, str] | str]:
        """What the run is given; the stand-in answers by it."""
        return {"case": self.id, "says": self.says, "pace": self.pace}

    def hits(self, shape: Shape) -> dict[str, bool]:
        """Whether one of its guesses is right, for every step that is guessed."""
        return {name: self.says[name] != MISS for name, step in shape.items() if step.shares}


def cases(shape: Shape, *, rate: Fraction, count: int, seed: str) -> list[Case]:
    """`count` inputs among which every guess has its exact share of hits."""
    says = {name: _says(step, rate, count, f"{seed}/{name}/says") for name, step in shape.items()}
    pace = {name: _paces(count, f"{seed}/{name}/pace") for name in shape}
    return [
        Case(
            id=f"{seed}/{i}",
            says={name: said[i] for name, said in says.items()},
            pace={name: drawn[i] for name, drawn in pace.items()},
        )
        for i in range(count)
    ]


def foreseen(shape: Shape, case: Case, seconds: dict[str, float]) -> dict[str, oracle.Step]:
    """The run as the oracle sees it: recorded seconds, and the guesses that are right."""
    hits = case.hits(shape)
    return {
        name: oracle.Step(
            reads=step.reads,
            seconds=seconds[name],
            guess=_right_guess(step) if hits.get(name) else None,
        )
        for name, step in shape.items()
    }


def _right_guess(step: Step) -> oracle.RightGuess:
    return oracle.RightGuess(made_from=step.reads[0] if step.kind == "check" else None)


def _says(step: Step, rate: Fraction, count: int, seed: str) -> list[str]:
    if not step.shares:
        return [step.answers[0]] * count
    said: list[str] = []
    reached = Fraction(0)
    for answer, share in zip(GUESSED, step.shares, strict=False):
        reached += rate * share
        said += [answer] * (round(reached * count) - len(said))
    said += [MISS] * (count - len(said))
    return _shuffled(said, seed)


def _paces(count: int, seed: str) -> list[str]:
    return _shuffled([list(PACES)[i % len(PACES)] for i in range(count)], seed)


def _shuffled(items: Sequence[str], seed: str) -> list[str]:
    return random.Random(seed).sample(items, len(items))

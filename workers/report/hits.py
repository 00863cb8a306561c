"""How often guesses were right: by edge, with a credible interval, and against what was stated.

The interval is that of the Beta posterior on a uniform prior, Beta(1 + right, 1 + wrong), with equal
tails (Bayes and Laplace); its quantiles are those that bets are decided on (`speculation.beliefs`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from forerun.speculation.beliefs import Beta
from forerun.speculation.bet import Assumption
from forerun.speculation.decision import Decision
from forerun.speculation.guess import GuessSource
from forerun.speculation.quantities import FIGURES, ONE, ZERO
from forerun.speculation.record import GuessTested

MASS = Decimal("0.95")
BINS = 10
ENOUGH_GUESSES = 20
"""Of fewer no calibration is shown. Ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """So many of so many were right; `low` and `high` bound the chance with 95 %."""

    right: int
    guesses: int
    low: Decimal
    high: Decimal

    @property
    def share(self) -> Decimal | None:
        """The share that was right; None of none."""
        if not self.guesses:
            return None
        return FIGURES.divide(Decimal(self.right), Decimal(self.guesses))


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """Guesses of one kind for one node, and the nodes that could run on them.

    `stated` is the mean of what was believed of them.
    """

    guess: str
    readers: tuple[str, ...]
    source: str
    rate: Rate
    stated: Decimal
    launched: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """Guesses of about the same stated P."""

    stated: Decimal
    rate: Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Whether what was stated came true. `brier` is the mean squared error, 0 is best."""

    guesses: int
    stated: Decimal
    rate: Rate
    brier: Decimal
    bins: tuple[Bin, ...]


def rate(tested: Iterable[GuessTested]) -> Rate:
    """The hit rate of guesses that met their answers."""
    verdicts = [guess.right for guess in tested]
    right = sum(verdicts)
    wrong = len(verdicts) - right
    low, high = Beta(alpha=ONE + right, beta=ONE + wrong).interval(MASS)
    return Rate(right=right, guesses=len(verdicts), low=low, high=high)


def edges(tested: Iterable[GuessTested], decisions: Iterable[Decision]) -> list[Edge]:
    """By node and source, and of a constant by its value; the most frequent first."""
    kinds: dict[tuple[str, str], list[GuessTested]] = {}
    for guess in tested:
        kinds.setdefault(_kind(guess), []).append(guess)
    readers = _readers(decisions)
    found = [
        Edge(
            guess=named,
            readers=tuple(readers.get((named, source), ())),
            source=source,
            rate=rate(guesses),
            stated=_mean([guess.p for guess in guesses]),
            launched=sum(guess.launched for guess in guesses),
        )
        for (named, source), guesses in kinds.items()
    ]
    return sorted(found, key=lambda edge: (-edge.rate.guesses, edge.guess))


def calibration(tested: Sequence[GuessTested]) -> Calibration | None:
    """None of too few."""
    if len(tested) < ENOUGH_GUESSES:
        return None
    bins: dict[int, list[GuessTested]] = {}
    for guess in tested:
        bins.setdefault(min(int(guess.p * BINS), BINS - 1), []).append(guess)
    return Calibration(
        guesses=len(tested),
        stated=_mean([guess.p for guess in tested]),
        rate=rate(tested),
        brier=_mean([(guess.p - int(guess.right)) ** 2 for guess in tested]),
        bins=tuple(
            Bin(stated=_mean([guess.p for guess in bins[index]]), rate=rate(bins[index]))
            for index in sorted(bins)
        ),
    )


def _readers(decisions: Iterable[Decision]) -> dict[tuple[str, str], dict[str, None]]:
    """The nodes of the bets on each kind of guess, items as the node that they are of."""
    found: dict[tuple[str, str], dict[str, None]] = {}
    for decision in decisions:
        nodes = [exposure.stake.node.partition("[")[0] for exposure in decision.calls]
        for assumption in decision.assumptions:
            found.setdefault(_kind(assumption), {}).update(dict.fromkeys(nodes))
    return found


def _kind(guess: GuessTested | Assumption) -> tuple[str, str]:
    named = guess.label if guess.source == GuessSource.VALUE else guess.node
    return named, str(guess.source)


def _mean(values: Sequence[Decimal]) -> Decimal:
    return FIGURES.divide(sum(values, ZERO), Decimal(len(values)))

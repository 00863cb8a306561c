"""A bet: one set of assumptions with every call that hangs on exactly that set.

Its calls are right or wrong together, so they are judged together: one P, one L, one C.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext

from forerun.speculation.beliefs import Beta, joint
from forerun.speculation.buying import Purchase
from forerun.speculation.disclosure import Mode
from forerun.speculation.guess import GuessSource
from forerun.speculation.pricing import Rates
from forerun.speculation.quantities import FIGURES, ONE, ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumption:
    """A guess that a bet relies on, with the belief in it and not with its value."""

    guess: str
    node: str
    label: str
    source: GuessSource
    value_sha256: str
    belief: Beta


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """An ancestor's `when` that is still undecided, and the chance that it comes out true."""

    node: str
    p: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Stake:
    """One call of a bet, estimated and priced.

    `fingerprint` is None while its arguments are not known: it waits for the results of the
    speculations on `waits_for` (nodes of this bet, or of bets already placed) or for a guess that is
    still to be bought. Only the others are launched.
    `input_usd` and `output_usd` are the expected dollars of the whole call, None where unpriced;
    `worst_usd` is what its launch must reserve. `disclosure` is the policy under which its arguments
    may leave; a model call has none.
    """

    node: str
    operation: str
    fingerprint: str | None
    waits_for: tuple[str, ...]
    ms: int
    input_tokens: int
    output_tokens: int
    estimate_basis: str
    input_usd: Decimal | None
    output_usd: Decimal | None
    worst_usd: Decimal | None
    rates: Rates | None
    whole_output: bool
    disclosure: Mode | None = None

    @property
    def launches(self) -> bool:
        """Whether it can be launched now."""
        return self.fingerprint is not None

    @property
    def starts(self) -> bool:
        """Whether it begins with the bet: now, or as soon as the guess has been bought."""
        return not self.waits_for


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A node that the bet could reach but must not run, and why."""

    node: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bet:
    """Assumptions, undecided conditions, and calls, each after those it waits for.

    `question` names the assumptions and the calls that could be launched on them: a question that
    was answered with hold is not recorded twice. `skipped` are the nodes whose `when` is false if
    the assumptions hold: what a bet saves is counted in the world where it is right. With a
    `purchase` its guess is still to be bought.
    """

    question: str
    assumptions: tuple[Assumption, ...]
    conditions: tuple[Condition, ...]
    calls: tuple[Stake, ...]
    refused: tuple[Refusal, ...] = ()
    skipped: tuple[str, ...] = ()
    alternatives: tuple[tuple[Assumption, ...], ...] = ()
    purchase: Purchase | None = None

    @property
    def id(self) -> str:
        """The assumption set, in words: the same set is the same bet."""
        return bet_id(self.guesses)

    @property
    def guesses(self) -> tuple[str, ...]:
        """The ids of the guesses that it relies on."""
        return tuple(assumption.guess for assumption in self.assumptions)

    def p(self, bound: Decimal | None) -> Decimal:
        """The chance that its calls are claimed; with `bound`, on lower credible bounds."""
        certain = [condition.p for condition in self.conditions]
        with localcontext(FIGURES):
            ways = [
                joint([*(_belief(a, bound) for a in way), *certain])
                for way in (self.assumptions, *self.alternatives)
            ]
            return min(sum(ways, ZERO), ONE)


def bet_id(guesses: Iterable[str]) -> str:
    """The name of the bet on exactly these guesses."""
    return " & ".join(guesses)


def node_of(guess: str) -> str:
    """The node that a guess, by its id, is for."""
    return guess.partition("@")[0]


def exclude(guesses: Iterable[str], others: Iterable[str]) -> bool:
    """Whether they cannot all be right: two different ones are for one node."""
    by_node = {node_of(guess): guess for guess in guesses}
    return any(by_node.get(node_of(guess), guess) != guess for guess in others)


@dataclass(frozen=True, slots=True)
class Implication:
    """If all of these guesses are right, so is that other one: a result of a speculation says so."""

    guesses: tuple[str, ...]
    says: str


def implied(guesses: Iterable[str], known: Sequence[Implication]) -> dict[str, str] | None:
    """By node, these guesses and all that follows from them; None if they contradict each other."""
    by_node = {node_of(guess): guess for guess in guesses}
    right = set(by_node.values())
    followed = True
    while followed:
        followed = False
        for one in known:
            if one.says in right or not right.issuperset(one.guesses):
                continue
            if by_node.setdefault(node_of(one.says), one.says) != one.says:
                return None
            right.add(one.says)
            followed = True
    return by_node


def exclusive(ways: Iterable[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """The first set of guesses, and those of the others of which no two can both hold."""
    kept: list[tuple[str, ...]] = []
    for way in ways:
        if all(exclude(way, other) for other in kept):
            kept.append(way)
    return kept


def _belief(assumption: Assumption, bound: Decimal | None) -> Decimal:
    belief = assumption.belief
    return belief.mean if bound is None else belief.lower_bound(bound)

"""What is placed, and what may be placed on top of it.

Guesses for one node exclude each other, so what a bet is judged on top of is not all that is placed
but what can be right together with it.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal

from forerun.speculation.bet import Bet, Implication, implied, node_of
from forerun.speculation.makespan import Ahead, Network
from forerun.speculation.outlook import Outlook
from forerun.speculation.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """One way in which a speculation that is under way or done may be right.

    A call that several sets of guesses lead to is placed once for each, under one fingerprint.
    """

    fingerprint: str | None
    guesses: tuple[str, ...]
    ahead: Ahead


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """All that a batch of decisions is made from.

    `bets` could be placed now, and `purchases` are bets whose guess could be bought now. `live` ones
    are under way, and their stakes hold what is left of their calls: milliseconds and output
    dollars. `funds_usd` is what the budget leaves: budget less dollars lost and dollars reserved.
    `implications` are what results of speculations say, if their assumptions are right.
    `held_back` names providers that must not be speculated with right now, with the reason.
    """

    at: str
    policy: Policy
    funds_usd: Decimal
    network: Network
    placed: tuple[Placed, ...]
    bets: tuple[Bet, ...]
    purchases: tuple[Bet, ...] = ()
    live: tuple[Bet, ...] = ()
    implications: tuple[Implication, ...] = ()
    held_back: dict[str, str] = field(default_factory=dict[str, str])


class Board:
    """What is placed while a batch is decided, when the run ends with it, and the funds left."""

    def __init__(self, situation: Situation) -> None:
        self.situation = situation
        self.funds_usd = situation.funds_usd
        self.outlook = Outlook(situation.network, _movable(situation))
        self._by_node: dict[str, dict[str, list[Placed]]] = {}
        self._by_fingerprint: dict[str | None, list[Placed]] = {}
        self._reserved: dict[str, set[str]] = {}
        self.place(situation.placed)

    def reserve(self, bet: Bet, worst_usd: Decimal) -> None:
        """Set dollars aside for a bet or for the guess that it needs, and count its guesses."""
        self.funds_usd -= worst_usd
        for assumption in bet.assumptions:
            self._reserved.setdefault(assumption.node, set()).add(assumption.guess)

    def place(self, placed: Sequence[Placed]) -> None:
        """Let these speculations run beside those that are there."""
        self.outlook.add([one.ahead for one in placed])
        for one in placed:
            self._by_fingerprint.setdefault(one.fingerprint, []).append(one)
            for guess in one.guesses:
                self._by_node.setdefault(node_of(guess), {}).setdefault(guess, []).append(one)

    def withdraw(self, fingerprints: Iterable[str | None]) -> None:
        """Take speculations away, in every way they might be right."""
        gone = [one for f in fingerprints for one in self._by_fingerprint.pop(f, ())]
        self.outlook.remove([one.ahead for one in gone])
        for one in gone:
            for guess in one.guesses:
                self._by_node[node_of(guess)][guess].remove(one)

    def guesses_for(self, node: str) -> set[str]:
        """The guesses for a node that have been bet on, or bought."""
        relied_on = {guess for guess, placed in self._by_node.get(node, {}).items() if placed}
        return relied_on | self._reserved.get(node, set())

    @contextmanager
    def without(self, fingerprints: Iterable[str | None]) -> Generator[None]:
        """As if these speculations were not there, within this block."""
        gone = [one for f in fingerprints for one in self._by_fingerprint.get(f, ())]
        with self.outlook.trial():
            self.outlook.remove([one.ahead for one in gone])
            yield

    @contextmanager
    def beside(self, bet: Bet) -> Generator[Outlook]:
        """Where the bet is right: without what it excludes, and what it skips takes no time."""
        with self.outlook.trial():
            if excluded := self._excluded_by(bet):
                self.outlook.remove([one.ahead for one in excluded])
            if bet.skipped:
                self.outlook.skip(bet.skipped)
            yield self.outlook

    def _excluded_by(self, bet: Bet) -> list[Placed]:
        """Those that rest on another guess for one of its nodes, or for one whose result it knows."""
        certain = implied(bet.guesses, self.situation.implications)
        own = certain or {node_of(guess): guess for guess in bet.guesses}
        return [
            one
            for node, right in own.items()
            for guess, placed in self._by_node.get(node, {}).items()
            if guess != right
            for one in placed
        ]


def _movable(situation: Situation) -> dict[str, set[str]]:
    """The nodes that bets come near, each with those whose ends their results wait for."""
    movable: dict[str, set[str]] = {}
    for one in situation.placed:
        movable.setdefault(one.ahead.node, set()).update(one.ahead.assumed)
    for bet in (*situation.live, *situation.bets, *situation.purchases):
        assumed = [assumption.node for assumption in bet.assumptions]
        for call in bet.calls:
            movable.setdefault(call.node, set()).update(assumed)
        for name in bet.skipped:
            if name in situation.network:
                movable.setdefault(name, set())
    return movable

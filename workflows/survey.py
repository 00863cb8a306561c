"""One look at a run: which calls could be started on guesses now, and what each would assume.

Going down the DAG, every node has *variants*: its actual output; a guess of it; the result of a
speculation on it, done or still to come. A call is possible wherever its upstream has one variant
each and no two of them rest on different guesses for one node. It assumes all the guesses beneath
its inputs, so chains of guesses and results come out by themselves: there is no special case for
depth. Calls that assume exactly the same set form a bet.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from forerun.speculation.bet import Refusal, bet_id, node_of
    from forerun.speculation.guess import Guess
    from forerun.speculation.table import (
        Absent,
        CallTable,
        Given,
        Guessed,
        Input,
        Inputs,
        Resulting,
    )
    from forerun.workflows.dispatch import Planned
    from forerun.workflows.guesses import guesses_for
    from forerun.workflows.planning import Planner
    from forerun.workflows.run_state import Nodes, NodeState
    from forerun.workflows.templates import RenderError

VARIANTS_PER_NODE = 16
"""Bounds the product of variants in dense DAGs; the first ones rest on the fewest guesses."""


class Pending:
    """The value of a result that is still to come."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One value that a node may turn out to have, and the guesses that this rests on."""

    source: Input
    guesses: tuple[str, ...]
    value: Any = None

    @property
    def pending(self) -> bool:
        """Whether the value is still to come."""
        return isinstance(self.value, Pending)

    @property
    def absent(self) -> bool:
        """Whether the node is skipped in this variant."""
        return isinstance(self.source, Absent)


@dataclass(frozen=True, slots=True, kw_only=True)
class Possible:
    """A call that could be made on guesses; `planned` is None while it waits for results.

    Several ways may lead to the very same call: they are alternatives of one launch.
    """

    node: str
    alternatives: list[Inputs]
    planned: Planned | None
    waits_for: tuple[str, ...]


@dataclass(slots=True)
class PossibleBet:
    """All possible calls that assume exactly these guesses; `skipped` nodes will not run then."""

    guesses: tuple[str, ...]
    calls: dict[str, Possible] = field(default_factory=dict[str, Possible])
    skipped: list[str] = field(default_factory=list[str])
    refused: list[Refusal] = field(default_factory=list[Refusal])

    @property
    def question(self) -> str:
        """Names the assumptions and the calls that could be launched on them."""
        ready = (c.planned.call.fingerprint[:12] for c in self.calls.values() if c.planned)
        return " ".join([bet_id(self.guesses), "?", *sorted(ready)])

    @property
    def decidable(self) -> bool:
        """Something could be launched, or was refused: worth a record."""
        ready = any(call.planned for call in self.calls.values())
        return ready or (bool(self.refused) and not self.calls)


class Survey:
    """Finds the possible bets of a run; `guesses` collects every guess that was considered."""

    def __init__(
        self, nodes: Nodes, table: CallTable, guesses: dict[str, Guess], planner: Planner
    ) -> None:
        self._nodes = nodes
        self._table = table
        self._guesses = guesses
        self._planner = planner

    def bets(self, max_depth: int) -> list[PossibleBet]:
        """The possible bets, those on the fewest guesses first where they were found together."""
        self._max_depth = max_depth
        self._variants: dict[str, list[Variant]] = {}
        self._bets: dict[tuple[str, ...], PossibleBet] = {}
        self._ready: dict[tuple[str, str], Possible] = {}
        for run in self._nodes:
            variants = self._known(run.name)
            if run.state is NodeState.WAITING and len(variants) < VARIANTS_PER_NODE:
                variants += self._possible(run.name)
            variants.sort(key=lambda variant: len(variant.guesses))
            self._variants[run.name] = variants[:VARIANTS_PER_NODE]
        return [self._with_skipped(bet) for bet in self._bets.values() if bet.decidable]

    def _with_skipped(self, bet: PossibleBet) -> PossibleBet:
        """Name the nodes that are skipped if the bet is right: they take no time then."""
        bet.skipped = [
            name
            for name, variants in self._variants.items()
            if any(v.absent and v.guesses and set(v.guesses) <= set(bet.guesses) for v in variants)
        ]
        return bet

    def _known(self, name: str) -> list[Variant]:
        """The actual output, or the guesses for it."""
        run = self._nodes[name]
        if run.state is NodeState.DONE:
            return [Variant(Given(), (), run.output)]
        if run.state is NodeState.SKIPPED:
            return [Variant(Absent(()), ())]
        if run.state not in (NodeState.WAITING, NodeState.RUNNING):
            return []
        return [self._as_variant(guess) for guess in guesses_for(name, self._nodes, self._table)]

    def _as_variant(self, guess: Guess) -> Variant:
        known = self._guesses.setdefault(guess.id, guess)
        source = Guessed(known.id, known.made_from)
        return Variant(source, self._table.assumptions({known.node: source}), known.value)

    def _possible(self, name: str) -> list[Variant]:
        """Enter the possible calls of a node into their bets; what they would make of it."""
        node = self._nodes.graph.nodes[name]
        found: list[Variant] = []
        for combination in self._combinations(node.upstream):
            guesses = _united(combination)
            if not guesses or len(guesses) > self._max_depth:
                continue
            inputs = dict(zip(node.upstream, combination, strict=True))
            if node.effect:
                refusal = Refusal(node=name, reason=self._planner.effect_of(name))
                self._bet(guesses).refused.append(refusal)
            elif node.speculate:
                found += self._consider(name, inputs, guesses)
        return found

    def _combinations(self, upstream: tuple[str, ...]) -> Iterator[tuple[Variant, ...]]:
        return (
            itertools.product(*(self._variants[name] for name in upstream))
            if upstream
            else iter(())
        )

    def _consider(
        self, name: str, chosen: dict[str, Variant], guesses: tuple[str, ...]
    ) -> list[Variant]:
        node = self._nodes.graph.nodes[name]
        if any(v.absent and not node.tolerates(up) for up, v in chosen.items()):
            return [Variant(Absent(guesses), guesses)]
        inputs = {up: variant.source for up, variant in chosen.items()}
        waits_for = tuple(up for up, variant in chosen.items() if variant.pending)
        if waits_for:
            return [self._enter(name, inputs, None, waits_for, guesses)]
        values = {up: variant.value for up, variant in chosen.items() if not variant.absent}
        try:
            if not node.runs(values):
                return [Variant(Absent(guesses), guesses)]
            planned = self._planner.plan(name, values)
        except RenderError:
            return []  # it would fail with these values too: nothing to gain
        return self._settle_on(name, inputs, planned, guesses)

    def _settle_on(
        self, name: str, inputs: Inputs, planned: Planned, guesses: tuple[str, ...]
    ) -> list[Variant]:
        """A call launched before is not launched again: it has one more way to prove right."""
        fingerprint = planned.call.fingerprint
        existing = self._table.of(name, fingerprint)
        if existing is None and (name, fingerprint) in self._ready:
            self._ready[name, fingerprint].alternatives.append(inputs)
            return []
        if existing is None:
            return [self._enter(name, inputs, planned, (), guesses)]
        if not existing.open:
            return []
        if inputs not in existing.alternatives:
            existing.alternatives.append(inputs)
        value = Pending() if existing.live else existing.output
        return [Variant(Resulting(existing.id), guesses, value)]

    def _enter(
        self,
        name: str,
        inputs: Inputs,
        planned: Planned | None,
        waits_for: tuple[str, ...],
        guesses: tuple[str, ...],
    ) -> Variant:
        possible = Possible(node=name, alternatives=[inputs], planned=planned, waits_for=waits_for)
        if planned:
            self._ready[name, planned.call.fingerprint] = possible
        calls = self._bet(guesses).calls
        if name not in calls or (planned and not calls[name].planned):
            calls[name] = possible
        return Variant(Given(), guesses, Pending())

    def _bet(self, guesses: tuple[str, ...]) -> PossibleBet:
        return self._bets.setdefault(guesses, PossibleBet(guesses))


def _united(combination: tuple[Variant, ...]) -> tuple[str, ...] | None:
    """The guesses of all variants together; None where two of them exclude each other."""
    by_node: dict[str, str] = {}
    for variant in combination:
        for guess in variant.guesses:
            if by_node.setdefault(node_of(guess), guess) != guess:
                return None
    return tuple(sorted(by_node.values()))

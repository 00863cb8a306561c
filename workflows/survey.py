"""One look at a run: which calls could be started on guesses now, and what each would assume.

Going down the DAG, every node has *variants*: its actual output; a guess of it; the result of a
speculation on it, done or still to come. A call is possible wherever its upstream has one variant
each and no two of them rest on different guesses for one node. It assumes all the guesses beneath
its inputs, so chains of guesses and results come out by themselves: there is no special case for
depth. Calls that assume exactly the same set form a bet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from forerun.speculation.bet import Refusal
    from forerun.speculation.effect_class import EffectClass
    from forerun.speculation.guess import Guess
    from forerun.speculation.table import (
        Absent,
        Awaited,
        CallTable,
        Gathered,
        Given,
        Guessed,
        Inputs,
        Resulting,
    )
    from forerun.workflows.candidates import Candidates, NoCall
    from forerun.workflows.disclosing import kept_back
    from forerun.workflows.dispatch import Planned
    from forerun.workflows.guesses import Sources
    from forerun.workflows.node import Node
    from forerun.workflows.planning import Planner
    from forerun.workflows.possible import PossibleBet
    from forerun.workflows.prospects import Prospects
    from forerun.workflows.purchases import Offer, Purchases
    from forerun.workflows.run_state import NodeRun, Nodes, NodeState
    from forerun.workflows.variants import Combination, Guesses, Variant, combinations

VARIANTS_PER_NODE = 16
"""Bounds what dense DAGs multiply to; the first ones rest on the fewest guesses."""

WAYS_PER_SURVEY = 4_096
"""Bounds what deep DAGs add up to: a workflow task of more than two seconds is never done.

Nodes come in the order of their edges, so what is left out lies far ahead, and is looked at when the
run has come nearer.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What could be bet on, those on the fewest guesses first where they were found together.

    `purchases` are bets on values that would have to be bought first. `items` are the most items that
    each `for_each` node may turn out to have.
    """

    bets: Sequence[PossibleBet]
    purchases: Sequence[tuple[Offer, PossibleBet]]
    items: Mapping[str, int]


class Survey:
    """Finds the possible bets of a run; `guesses` collects every guess that was considered.

    `ways` is in how many ways the inputs of nodes were combined when it last looked.
    """

    def __init__(
        self,
        nodes: Nodes,
        table: CallTable,
        guesses: dict[str, Guess],
        planner: Planner,
        sources: Sources,
        purchases: Purchases,
    ) -> None:
        self._sources = sources
        self._purchases = purchases
        self._nodes = nodes
        self._table = table
        self._guesses = guesses
        self._planner = planner
        self._candidates = Candidates(nodes, planner)
        self.ways = 0

    def look(self, max_depth: int) -> Found:
        """Look at the run as it stands."""
        self._max_depth = max_depth
        self._variants: dict[str, list[Variant]] = {}
        self._prospects = Prospects(self._table)
        self._items: dict[str, int] = {}
        self.ways = 0
        self._on_offer: dict[str, Offer] = {}
        self._candidates.next_survey()
        self._sources.evidence.look()
        for run in self._nodes:
            self._variants[run.name] = self._variants_of(run)
        absent = [
            (name, variant.guesses)
            for name, variants in self._variants.items()
            for variant in variants
            if variant.absent and variant.guesses
        ]
        return Found(
            bets=[
                bet.ask(absent)
                for bet in self._prospects.bets.values()
                if bet.decidable and self._known_by_now(bet.guesses)
            ],
            purchases=[
                (offer, self._prospects.bets[offer.guess,].ask(absent))
                for offer in self._on_offer.values()
                if (offer.guess,) in self._prospects.bets
            ],
            items=self._items,
        )

    def _known_by_now(self, guesses: Guesses) -> bool:
        """Whether all guesses have a value, and none is still to be bought."""
        return self._on_offer.keys().isdisjoint(guesses)

    def _variants_of(self, run: NodeRun) -> list[Variant]:
        variants = self._known(run)
        open_to_bets = run.state is NodeState.WAITING and self._planner.knows(run.name)
        room = len(variants) < VARIANTS_PER_NODE and self.ways < WAYS_PER_SURVEY
        if open_to_bets and room:
            variants += self._possible(run.name)
        variants.sort(key=_depth)
        return variants[:VARIANTS_PER_NODE]

    def _known(self, run: NodeRun) -> list[Variant]:
        """The actual output, or the guesses for it."""
        if run.state is NodeState.DONE:
            return [Variant(Given(), (), run.output)]
        if run.state is NodeState.SKIPPED:
            return [Variant(Absent(()), ())]
        if run.state not in (NodeState.WAITING, NodeState.RUNNING):
            return []
        guesses = self._sources.guesses(run.name)
        offers = self._purchases.on_offer(run.name)
        self._on_offer |= {offer.guess: offer for offer in offers}
        unknown = [Variant(Awaited((offer.guess,)), (offer.guess,)) for offer in offers]
        return [*(self._as_variant(guess) for guess in guesses), *unknown]

    def _as_variant(self, guess: Guess) -> Variant:
        """What the guess was made from is what is offered now: an earlier way may have fallen."""
        self._guesses[guess.id] = guess
        source = Guessed(guess.id, guess.made_from)
        return Variant(source, self._table.assumptions({guess.node: source}), guess.value)

    def _possible(self, name: str) -> list[Variant]:
        """Enter the possible calls of a node into their bets; what they would make of it."""
        node = self._nodes.graph.nodes[name]
        upstream = [self._variants[up] for up in node.upstream if not self._uncommitted(up)]
        found: list[Variant] = []
        ways = combinations(upstream, self._max_depth)
        self.ways += len(ways)
        for way in ways:
            if not way.guesses or self._sources.evidence.rules_out(way.guesses):
                continue
            why = self._inadmissible(node)
            if why is not None:
                self._prospects.on(way.guesses).refuse(Refusal(node=name, reason=why))
            elif node.speculate:
                found += self._consider(name, way)
        # A stage is nobody's input: nothing runs past an effect that is not committed.
        return [] if node.effect else found

    def _uncommitted(self, name: str) -> bool:
        """Whether this is an effect that has not ended: what it does is known to nobody before."""
        return self._nodes.graph.nodes[name].effect and not self._nodes[name].state.ended

    def _inadmissible(self, node: Node) -> str | None:
        """Why a node never runs on a guess, whatever that is; None if it may."""
        if any(map(self._uncommitted, node.upstream)):
            return "effect upstream"
        effect = self._planner.effect_of(node.name) if node.effect else None
        return None if effect in (None, EffectClass.STAGEABLE) else effect.value

    def _consider(self, name: str, way: Combination) -> list[Variant]:
        node = self._nodes.graph.nodes[name]
        chosen = list(zip(node.upstream, way.chosen, strict=True))
        lost = any(variant.absent and not node.tolerates(up) for up, variant in chosen)
        waits = any(variant.waits_for for variant in way.chosen)
        if (lost or not waits) and not self._known_by_now(way.guesses):
            return []  # whatever the value that is still to be bought: nothing hangs on it here
        if lost:
            return [Variant(Absent(way.guesses), way.guesses)]
        uncertain = [up for up, variant in chosen if not variant.certain]
        why = kept_back(node, self._planner.disclosure(name), uncertain)
        if why is not None:
            self._prospects.on(way.guesses).refuse(Refusal(node=name, reason=why))
            return []
        inputs = {up: variant.source for up, variant in chosen}
        if waits:
            first = f"{name}[0]" if node.gathers else name
            return [self._prospects.waiting(first, inputs, way.guesses)]
        match self._candidates.calls(name, way.chosen):
            case NoCall.SKIPPED:
                return [Variant(Absent(way.guesses), way.guesses)]
            case NoCall.FAILS:
                return []  # it would fail with these values too: nothing to gain
            case [planned] if not node.gathers:
                return self._prospects.ready(name, inputs, planned, way.guesses)
            case several:
                return self._fan_out(node, inputs, several, way.guesses)

    def _fan_out(
        self, node: Node, inputs: Inputs, calls: Sequence[Planned], guesses: Guesses
    ) -> list[Variant]:
        """The calls of a `for_each`, each in turn where its concurrency has no room for more."""
        found: list[Variant] = []
        waits_for: list[str] = []
        last = self._nodes.graph.node(calls[-1].node).index if calls else None
        self._items[node.name] = max((last or 0) + 1, self._items.get(node.name, 0))
        for call in calls:
            if len(waits_for) >= node.spec.concurrency:
                turn = waits_for[-node.spec.concurrency]
                after = {**inputs, turn: Awaited((turn,))}
                variants = [self._prospects.waiting(call.node, after, guesses)]
            else:
                variants = self._prospects.ready(call.node, inputs, call, guesses)
            found += variants
            waits_for += [name for variant in variants for name in variant.waits_for]
        if len(found) < len(calls):
            return []  # one of them has failed, or belongs to another bet
        if waits_for:
            return [Variant(Awaited(tuple(waits_for)), guesses)]
        results = tuple(v.source.speculation for v in found if isinstance(v.source, Resulting))
        return [Variant(Gathered(results, guesses), guesses, [v.value for v in found])]


def _depth(variant: Variant) -> int:
    return len(variant.guesses)

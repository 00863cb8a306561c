"""The run as a decision sees it: every figure that `decide` needs, and nothing it could look up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from forerun.activities.decision_request import (
        BetView,
        CallView,
        DecideRequest,
        NodeView,
        Phase,
        PurchaseView,
        SpeculationView,
    )
    from forerun.speculation.bet import Assumption, Condition
    from forerun.speculation.guess import Guess, GuessSource
    from forerun.speculation.policy import Policy
    from forerun.speculation.table import CallTable, SpeculativeCall
    from forerun.workflows.conditions import undecided
    from forerun.workflows.evidence import Evidence
    from forerun.workflows.node import Node
    from forerun.workflows.planning import Planner
    from forerun.workflows.possible import Possible, PossibleBet
    from forerun.workflows.purchases import Offer
    from forerun.workflows.run_state import NodeRun, Nodes, NodeState, now_ms


class Views:
    """Builds the requests of one run's decisions."""

    def __init__(
        self,
        nodes: Nodes,
        planner: Planner,
        table: CallTable,
        guesses: dict[str, Guess],
        evidence: Evidence,
    ) -> None:
        self._evidence = evidence
        self._nodes = nodes
        self._planner = planner
        self._table = table
        self._guesses = guesses

    def request(
        self,
        bets: Iterable[PossibleBet],
        purchases: Iterable[tuple[Offer, PossibleBet]],
        *,
        items: Mapping[str, int],
        policy: Policy,
        funds_usd: Decimal,
        held: Sequence[str],
        held_back: Mapping[str, str],
        previous: str,
    ) -> DecideRequest:
        """Everything one decision point is decided from."""
        return DecideRequest(
            at=workflow.now(),
            policy=policy,
            funds_usd=funds_usd,
            nodes=dict(self._unfinished(items)),
            placed=tuple(view for s in self._table.open() for view in self._speculation(s)),
            bets=tuple(self._bet(bet) for bet in bets),
            purchases=tuple(self._purchase(offer, bet) for offer, bet in purchases),
            implications=self._evidence.implications,
            held_back=dict(held_back),
            held=tuple(held),
            previous=previous,
        )

    def _unfinished(self, items: Mapping[str, int]) -> Iterator[tuple[str, NodeView]]:
        """Every unfinished node after its upstream.

        A `for_each` that has no list yet has as many items as are guessed, or one.
        """
        counts = {**items}
        for speculation in self._table.open():
            node = self._nodes.graph.node(speculation.node)
            if node.parent is not None and node.index is not None:
                counts[node.parent] = max(counts.get(node.parent, 1), node.index + 1)
        for run in self._nodes:
            node = self._nodes.graph.nodes[run.name]
            if run.state.ended:
                continue
            if node.gathers and run.state is NodeState.WAITING:
                expected = [node.item(index) for index in range(max(counts.get(run.name, 1), 1))]
                for item in expected:
                    yield item.name, self._view(item, item.upstream)
                yield run.name, self._view(node, [item.name for item in expected])
            else:
                yield run.name, self._view(node, self._nodes.graph.waits_for(run.name), run)

    def _view(self, node: Node, upstream: Sequence[str], run: NodeRun | None = None) -> NodeView:
        started = run.started_ms if run and run.state is NodeState.RUNNING else None
        return NodeView(
            upstream=tuple(up for up in self._in_turn(node, upstream) if self._is_open(up)),
            work=None if run and run.state is NodeState.AWAITING else self._planner.work(node.name),
            phase=Phase.WAITING if started is None else Phase.RUNNING,
            elapsed_ms=0 if started is None else now_ms() - started,
        )

    def _in_turn(self, node: Node, upstream: Sequence[str]) -> Sequence[str]:
        """An item waits as well for the one whose place it takes."""
        before = -1 if node.index is None else node.index - node.spec.concurrency
        return [*upstream, f"{node.parent}[{before}]"] if before >= 0 else upstream

    def _is_open(self, name: str) -> bool:
        return name not in self._nodes or not self._nodes[name].state.ended

    def _speculation(self, speculation: SpeculativeCall) -> Iterator[SpeculationView]:
        needed = self._nodes.state(speculation.node) in (NodeState.WAITING, NodeState.RUNNING)
        for inputs in speculation.alternatives if needed else ():
            yield SpeculationView(
                node=speculation.node,
                fingerprint=speculation.fingerprint,
                assumptions=self._assumptions(self._table.assumptions(inputs)),
                done=not speculation.live,
                elapsed_ms=now_ms() - speculation.launched_ms,
            )

    def _bet(self, bet: PossibleBet) -> BetView:
        return BetView(
            question=bet.question,
            assumptions=self._assumptions(bet.guesses),
            alternatives=tuple(self._assumptions(guesses) for guesses in bet.otherwise),
            conditions=self._conditions(bet),
            calls=tuple(self._call(call) for call in bet.calls.values()),
            refused=tuple(bet.refused),
            skipped=tuple(bet.skipped),
        )

    def _purchase(self, offer: Offer, bet: PossibleBet) -> PurchaseView:
        calls = (self._call(call) for call in bet.calls.values())
        work = self._planner.work(offer.node)
        if work is None:
            raise TypeError(f"{offer.node} makes no call that another model could answer")
        return PurchaseView(
            question=f"{offer.guess} ?",
            node=offer.node,
            operation=offer.source.model,
            k=offer.source.k,
            fingerprint=offer.planned.call.fingerprint,
            input_bytes=offer.planned.input_bytes,
            work=replace(work, operation=offer.source.model, seconds=None),
            assumption=Assumption(
                guess=offer.guess,
                node=offer.node,
                label=offer.label,
                source=GuessSource.MODEL,
                value_sha256="",
                belief=offer.belief,
            ),
            conditions=self._conditions(bet),
            calls=tuple(
                replace(call, waits_for=tuple(w for w in call.waits_for if w != offer.guess))
                for call in calls
            ),
            refused=tuple(bet.refused),
            skipped=tuple(bet.skipped),
        )

    def _conditions(self, bet: PossibleBet) -> tuple[Condition, ...]:
        return undecided(bet, self._nodes, self._guesses, self._table)

    def _call(self, call: Possible) -> CallView:
        policy = self._planner.disclosure(call.node)
        return CallView(
            node=call.node,
            fingerprint=call.planned.call.fingerprint if call.planned else None,
            waits_for=call.waits_for,
            input_bytes=call.planned.input_bytes if call.planned else 0,
            disclosure=policy.mode if policy else None,
        )

    def _assumptions(self, guesses: Iterable[str]) -> tuple[Assumption, ...]:
        return tuple(_assumption(self._guesses[guess]) for guess in guesses)


def _assumption(guess: Guess) -> Assumption:
    return Assumption(
        guess=guess.id,
        node=guess.node,
        label=guess.label,
        source=guess.source,
        value_sha256=guess.digest,
        belief=guess.belief,
    )

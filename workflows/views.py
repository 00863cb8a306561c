"""The run as a decision sees it: every figure that `decide` needs, and nothing it could look up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from forerun.activities.decision_request import (
        BetView,
        CallView,
        DecideRequest,
        NodeView,
        Phase,
        SpeculationView,
    )
    from forerun.speculation.bet import Assumption, Condition
    from forerun.speculation.guess import Guess
    from forerun.speculation.policy import Policy
    from forerun.speculation.table import CallTable, Speculation
    from forerun.workflows.conditions import undecided
    from forerun.workflows.planning import Planner
    from forerun.workflows.possible import Possible, PossibleBet
    from forerun.workflows.run_state import NodeRun, Nodes, NodeState, now_ms


class Views:
    """Builds the requests of one run's decisions."""

    def __init__(
        self, nodes: Nodes, planner: Planner, table: CallTable, guesses: dict[str, Guess]
    ) -> None:
        self._nodes = nodes
        self._planner = planner
        self._table = table
        self._guesses = guesses

    def request(
        self,
        bets: Iterable[PossibleBet],
        *,
        policy: Policy,
        funds_usd: Decimal,
        held: Sequence[str],
        held_back: dict[str, str],
        previous: str,
    ) -> DecideRequest:
        """Everything one decision point is decided from."""
        return DecideRequest(
            at=workflow.now(),
            policy=policy,
            funds_usd=funds_usd,
            nodes={run.name: self._node(run) for run in self._nodes if not run.state.ended},
            placed=tuple(view for s in self._table.open() for view in self._speculation(s)),
            bets=tuple(self._bet(bet) for bet in bets),
            held_back=held_back,
            held=tuple(held),
            previous=previous,
        )

    def _node(self, run: NodeRun) -> NodeView:
        """An unfinished node, after those of its upstream that are unfinished too."""
        started = run.state is NodeState.RUNNING and run.started_ms is not None
        upstream = self._nodes.graph.nodes[run.name].upstream
        return NodeView(
            upstream=tuple(up for up in upstream if not self._nodes[up].state.ended),
            work=self._planner.work(run.name),
            phase=Phase.RUNNING if started else Phase.WAITING,
            elapsed_ms=now_ms() - (run.started_ms or 0) if started else 0,
        )

    def _speculation(self, speculation: Speculation) -> Iterator[SpeculationView]:
        ended = self._nodes[speculation.node].state.ended
        for inputs in () if ended else speculation.alternatives:
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

    def _conditions(self, bet: PossibleBet) -> tuple[Condition, ...]:
        return undecided(bet, self._nodes, self._guesses, self._table)

    def _call(self, call: Possible) -> CallView:
        return CallView(
            node=call.node,
            fingerprint=call.planned.call.fingerprint if call.planned else None,
            waits_for=call.waits_for,
            input_bytes=call.planned.input_bytes if call.planned else 0,
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

"""A run without a server, as a survey sees it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from forerun.activities.operation import OperationCard
from forerun.speculation.guess import Guess
from forerun.speculation.table import CallTable, Guessed, Inputs, SpeculativeCall
from forerun.workflows.allowance import Allowance
from forerun.workflows.checkpoints import Checkpoints
from forerun.workflows.dispatch import Dispatcher
from forerun.workflows.evidence import Evidence
from forerun.workflows.graph import Graph
from forerun.workflows.guesses import Sources
from forerun.workflows.planning import Planner
from forerun.workflows.purchases import Purchases
from forerun.workflows.run_state import Nodes, NodeState
from forerun.workflows.spec import parse_spec
from forerun.workflows.survey import Survey


class House:
    """A run without a server: its nodes, table and survey; the first node is running."""

    def __init__(self, nodes: dict[str, Any], *cards: OperationCard) -> None:
        graph = Graph.of(parse_spec({"version": 1, "nodes": nodes}))
        self.nodes = Nodes(graph)
        self.table = CallTable()
        self.guesses: dict[str, Guess] = {}
        self.planner = Planner(graph, {card.name: card for card in cards})
        told = Checkpoints()
        bought = Purchases(self.nodes, self.planner, Dispatcher(Allowance(), told))
        evidence = Evidence(self.nodes, self.table, self.guesses)
        sources = Sources(self.nodes, self.table, told, bought, evidence)
        self.survey = Survey(self.nodes, self.table, self.guesses, self.planner, sources, bought)
        next(iter(self.nodes)).state = NodeState.RUNNING

    def done(self, id: str, node: str, inputs: Inputs, output: str) -> SpeculativeCall:
        """Enter a speculation that is done, rendered from guesses."""
        values = {up: self._value(up, source) for up, source in inputs.items()}
        call = self.planner.plan(node, values).call
        speculation = SpeculativeCall(
            id=id,
            node=node,
            call=call,
            fingerprint=call.fingerprint,
            bet="",
            label="",
            worst_usd=Decimal(0),
            launched_ms=0,
            alternatives=[inputs],
            output=output,
            done_ms=1,
        )
        self.table.add(speculation)
        return speculation

    def _value(self, up: str, source: object) -> Any:
        return self.guesses[source.guess].value if isinstance(source, Guessed) else up


def model(prompt: str, *guesses: tuple[Any, float], **more: Any) -> dict[str, Any]:
    """A model node with constant guesses."""
    offered = [{"from": "value", "value": value, "p": p} for value, p in guesses]
    return {
        "model": "openai:sim-mid",
        "prompt": prompt,
        **({"guess": offered} if offered else {}),
        **more,
    }

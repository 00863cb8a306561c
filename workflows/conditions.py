"""Undecided `when`s on the way to a bet's calls, and how likely each is to come out true.

A guess can be right only if its node runs at all. A `when` that the bet's own values decide is no
doubt any more; of the others each counts as the summed P of the guesses that make it true, and as
1/2 where nothing is guessed (design 1).
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from forerun.speculation.bet import Condition
    from forerun.speculation.guess import Guess
    from forerun.speculation.quantities import ONE, ZERO
    from forerun.speculation.table import Absent, CallTable, Gathered, Resulting
    from forerun.workflows.node import Node
    from forerun.workflows.possible import PossibleBet
    from forerun.workflows.run_state import Nodes, NodeState
    from forerun.workflows.templates import RenderError

UNKNOWN = Decimal("0.5")


def undecided(
    bet: PossibleBet, nodes: Nodes, guesses: Mapping[str, Guess], table: CallTable
) -> tuple[Condition, ...]:
    """The conditions of a bet, in topological order."""
    waiting = [
        run.name
        for run in nodes
        if run.state is NodeState.WAITING and nodes.graph.nodes[run.name].conditional
    ]
    if not waiting:
        return ()
    decided = _decided(bet, nodes)
    # A value that is still to be bought decides no condition.
    assumed = {guesses[g].node: guesses[g] for g in bet.guesses if g in guesses}
    needed_by = {nodes.graph.node(name).parent or name for name in bet.calls} | set(assumed)
    found: list[Condition] = []
    for name in waiting:
        on_the_way = name in needed_by or any(nodes.graph.needs(user, name) for user in needed_by)
        if on_the_way and name not in decided:
            p = _chance(nodes.graph.nodes[name], nodes, assumed, guesses, table)
            if p != ONE:
                found.append(Condition(node=name, p=p))
    return tuple(found)


def _decided(bet: PossibleBet, nodes: Nodes) -> set[str]:
    """Nodes whose `when` was true with the values that the bet's calls are rendered from."""
    ready = [call for call in bet.calls.values() if call.planned]
    from_results = {
        up
        for call in ready
        for up, source in call.alternatives[0].items()
        if isinstance(source, Resulting | Gathered | Absent)
    }
    own = {nodes.graph.node(call.node).parent or call.node for call in ready}
    return own | from_results


def _chance(
    node: Node,
    nodes: Nodes,
    assumed: Mapping[str, Guess],
    guesses: Mapping[str, Guess],
    table: CallTable,
) -> Decimal:
    """The chance that a `when` comes out true, by the guesses for the one node it still waits for."""
    values: dict[str, Any] = {}
    unknown: list[str] = []
    for up in node.when_references:
        if nodes[up].state is NodeState.DONE:
            values[up] = nodes[up].output
        elif up in assumed:
            values[up] = assumed[up].value
        elif not nodes[up].state.ended:
            unknown.append(up)
    if not unknown:
        return ONE if _true(node, values) else ZERO
    candidates = _on_offer(unknown[0], guesses, table)
    if len(unknown) > 1 or not candidates:
        return UNKNOWN
    makes_true = (g.belief.mean for g in candidates if _true(node, {**values, g.node: g.value}))
    return min(sum(makes_true, ZERO), ONE)


def _on_offer(node: str, guesses: Mapping[str, Guess], table: CallTable) -> list[Guess]:
    """The guesses for a node that still stand: not those from speculations that fell."""
    return [
        guess
        for guess in guesses.values()
        if guess.node == node and (guess.made_from is None or table[guess.made_from].open)
    ]


def _true(node: Node, values: Mapping[str, Any]) -> bool:
    try:
        return node.runs(values)
    except RenderError:
        return False

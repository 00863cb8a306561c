"""Calls rendered from chosen inputs, once for each choice.

A run is surveyed whenever anything happens. What a choice of inputs leads to never changes: an
output is fixed once its node is done, a guess and a result by their ids. So what the last survey
rendered and hashed, this one finds again; what it did not look at is forgotten.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto
from typing import Any

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from forerun.speculation.table import Input
    from forerun.workflows.dispatch import Planned
    from forerun.workflows.node import Node
    from forerun.workflows.planning import Planner
    from forerun.workflows.run_state import Nodes
    from forerun.workflows.templates import RenderError
    from forerun.workflows.variants import Variant


class NoCall(Enum):
    """Why inputs lead to no call."""

    SKIPPED = auto()
    FAILS = auto()


Calls = list["Planned"] | NoCall

_Key = tuple[str, tuple["Input", ...]]


class Candidates:
    """What the choices of inputs in a run lead to."""

    def __init__(self, nodes: Nodes, planner: Planner) -> None:
        self._nodes = nodes
        self._planner = planner
        self._found: dict[_Key, Calls] = {}
        self._before: dict[_Key, Calls] = {}

    def next_survey(self) -> None:
        """Keep what the survey before this one has looked at, and no more."""
        self._before, self._found = self._found, {}

    def calls(self, name: str, chosen: tuple[Variant, ...]) -> Calls:
        """What a node calls with these inputs, in the order of its upstream.

        One call, or, of a `for_each`, those of all its items that run.
        """
        key = name, tuple(variant.source for variant in chosen)
        found = self._before.get(key)
        if found is None:
            found = self._rendered(name, chosen)
        self._found[key] = found
        return found

    def _rendered(self, name: str, chosen: tuple[Variant, ...]) -> Calls:
        node = self._nodes.graph.nodes[name]
        inputs = zip(node.upstream, chosen, strict=True)
        values = {up: variant.value for up, variant in inputs if not variant.absent}
        return calls_of(node, self._planner, values)


def calls_of(node: Node, planner: Planner, values: Mapping[str, Any]) -> Calls:
    """What a node calls with these outputs of its upstream: see `Candidates.calls`."""
    try:
        if not node.runs(values):
            return NoCall.SKIPPED
        if not node.gathers:
            return [planner.plan(node.name, values)]
        items = [node.item(index) for index in range(len(node.items(values)))]
        return [planner.plan(item.name, values) for item in items if item.runs(values)]
    except RenderError:
        return NoCall.FAILS

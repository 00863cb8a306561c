"""The DAG: which node needs which. Edges are the node names that a node's templates read.

Nothing here recurses along edges: a chain of a thousand nodes is an ordinary spec. Ancestry is one
bit mask per node, so questions about it cost next to nothing even where the DAG is dense.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping

from forerun.workflows.graph_nodes import Node
from forerun.workflows.spec_errors import SpecError
from forerun.workflows.spec_model import Spec
from forerun.workflows.template_rules import Allowance


class Graph:
    """The nodes of a spec in topological order, among equals in the order of the spec.

    Raises:
        SpecError: a template is wrong or names something unknown, or there is a cycle.
    """

    def __init__(self, spec: Spec) -> None:
        compiled = _compiled(spec)
        downstream = _downstream(compiled)
        order = _sorted(compiled, downstream)
        self.nodes: Mapping[str, Node] = {name: compiled[name] for name in order}
        self.downstream: Mapping[str, tuple[str, ...]] = downstream
        self._bits = {name: 1 << index for index, name in enumerate(order)}
        self._above = self._reached(order, lambda name: compiled[name].upstream)
        self._below = self._reached(reversed(order), lambda name: downstream[name])

    def ancestors(self, name: str) -> tuple[str, ...]:
        """All that `name` needs, directly or not, in topological order."""
        return self._named(self._above[name])

    def descendants(self, name: str) -> tuple[str, ...]:
        """All that needs `name`, directly or not, in topological order."""
        return self._named(self._below[name])

    def needs(self, name: str, other: str) -> bool:
        """Whether `other` is an ancestor of `name`."""
        return bool(self._above[name] & self._bits[other])

    def _named(self, mask: int) -> tuple[str, ...]:
        return tuple(name for name, bit in self._bits.items() if mask & bit)

    def _reached(
        self, order: Iterable[str], neighbours: Callable[[str], tuple[str, ...]]
    ) -> dict[str, int]:
        reached: dict[str, int] = {}
        for name in order:
            reached[name] = 0
            for neighbour in neighbours(name):
                reached[name] |= reached[neighbour] | self._bits[neighbour]
        return reached


def _compiled(spec: Spec) -> dict[str, Node]:
    names = {name: position for position, name in enumerate(spec.nodes)}
    allowance = Allowance()
    return {
        name: Node.compiled(name, node, spec.input, names, allowance)
        for name, node in spec.nodes.items()
    }


def _downstream(nodes: Mapping[str, Node]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {name: [] for name in nodes}
    for name, node in nodes.items():
        for upstream in node.upstream:
            found[upstream].append(name)
    return {name: tuple(users) for name, users in found.items()}


def _sorted(nodes: Mapping[str, Node], downstream: Mapping[str, tuple[str, ...]]) -> list[str]:
    names = list(nodes)
    position = {name: index for index, name in enumerate(names)}
    missing = {name: len(node.upstream) for name, node in nodes.items()}
    ready = [position[name] for name in names if not missing[name]]
    order: list[str] = []
    while ready:
        name = names[heapq.heappop(ready)]
        order.append(name)
        for user in downstream[name]:
            missing[user] -= 1
            if not missing[user]:
                heapq.heappush(ready, position[user])
    if len(order) < len(names):
        raise _cycle(nodes, set(names).difference(order))
    return order


def _cycle(nodes: Mapping[str, Node], stuck: set[str]) -> SpecError:
    """One cycle among the nodes that never became ready: each of them needs another of them."""
    name = next(name for name in nodes if name in stuck)
    walked: dict[str, None] = {}
    while name not in walked:
        walked[name] = None
        name = next(upstream for upstream in nodes[name].upstream if upstream in stuck)
    cycle = list(walked)[list(walked).index(name) :]
    round_trip = " -> ".join([*reversed(cycle), cycle[-1]])
    fix = "take one of these names out of the templates of the next"
    return SpecError("nodes", round_trip, f"the cycle {round_trip}", fix)

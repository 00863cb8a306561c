"""The DAG: which node needs which. Edges are the node names that a node's texts read.

It grows: a workflow of a user's own adds nodes as it goes, and a `for_each` node its items once its
list is known. Nothing here recurses along edges: a chain of a thousand nodes is an ordinary spec.
Ancestry is one bit mask per node, so questions about it cost next to nothing even where it is dense.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping

from forerun.workflows.compiled_nodes import compiled
from forerun.workflows.node import Node
from forerun.workflows.spec_errors import SpecError
from forerun.workflows.spec_model import Spec
from forerun.workflows.template_rules import Allowance


class Graph:
    """Nodes in topological order, the items of a `for_each` before the node itself."""

    def __init__(self, nodes: Iterable[Node] = ()) -> None:
        self.nodes: dict[str, Node] = {}
        self.downstream: dict[str, list[str]] = {}
        self._items: dict[str, tuple[str, ...]] = {}
        self._bits: dict[str, int] = {}
        self._above: dict[str, int] = {}
        for node in nodes:
            self.add(node)

    @classmethod
    def of(cls, spec: Spec) -> Graph:
        """The graph of a spec, among equals in the order of the spec.

        Raises:
            SpecError: a template is wrong or names something unknown, or there is a cycle.
        """
        nodes = _compiled(spec)
        return cls(nodes[name] for name in _sorted(nodes))

    def add(self, node: Node) -> None:
        """Add a node; all that it needs is there already."""
        self.nodes[node.name] = node
        self._enter(node)

    def expand(self, name: str, count: int) -> list[Node]:
        """Put the items of a `for_each` node before it, now that their number is known."""
        items = [self.nodes[name].item(index) for index in range(count)]
        self._items[name] = tuple(item.name for item in items)
        names = list(self.nodes)
        after = {later: self.nodes.pop(later) for later in names[names.index(name) :]}
        self.nodes |= {item.name: item for item in items} | after
        for item in items:
            self._enter(item)
        return items

    def node(self, name: str) -> Node:
        """A node by its name, also an item that is not there yet, and may never be."""
        found = self.nodes.get(name)
        if found is None:
            parent, _, index = name.removesuffix("]").partition("[")
            found = self.nodes[parent].item(int(index))
        return found

    def items(self, name: str) -> tuple[str, ...]:
        """The items of a `for_each` node; none before its list is known."""
        return self._items.get(name, ())

    def waits_for(self, name: str) -> tuple[str, ...]:
        """What a node's end waits for: its items, once they are there, else its upstream."""
        return self._items.get(name, self.node(name).upstream)

    def ancestors(self, name: str) -> tuple[str, ...]:
        """All that `name` needs, directly or not, in topological order."""
        mask = self._above[name]
        return tuple(other for other in self.nodes if mask & self._bits[other])

    def needs(self, name: str, other: str) -> bool:
        """Whether `other` is an ancestor of `name`."""
        above = self._above.get(name)
        if above is None:
            above = self._above[self.node(name).parent or name]
        return bool(above & self._bits[other])

    def _enter(self, node: Node) -> None:
        self.downstream[node.name] = []
        self._bits[node.name] = 1 << len(self._bits)
        above = 0
        for up in node.upstream:
            self.downstream[up].append(node.name)
            above |= self._above[up] | self._bits[up]
        self._above[node.name] = above


def _compiled(spec: Spec) -> dict[str, Node]:
    names = {name: position for position, name in enumerate(spec.nodes)}
    allowance = Allowance()
    return {
        name: compiled(name, node, spec.input, names, allowance)
        for name, node in spec.nodes.items()
    }


def _sorted(nodes: Mapping[str, Node]) -> list[str]:
    names = list(nodes)
    downstream: dict[str, list[str]] = {name: [] for name in names}
    for name, node in nodes.items():
        for upstream in node.upstream:
            downstream[upstream].append(name)
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

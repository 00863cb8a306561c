"""The DAG: which node needs which, and what each of them calls once its inputs are there.

Edges are the node names that a node's templates read. Nothing here recurses along edges: a chain of
a thousand nodes is an ordinary spec. Ancestry is kept as one bit mask per node, so questions about
it cost nothing even in a dense DAG.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from forerun.workflows.node import Node
from forerun.workflows.spec_errors import SpecError, closest, shown
from forerun.workflows.spec_nodes import NodeSpec
from forerun.workflows.templates import Template

MAX_TEMPLATE_NODES = 50_000
"""Syntax nodes of all templates together: the start of a run must not take a second to parse."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """All nodes, in topological order, and among equals in the order of the spec."""

    nodes: Mapping[str, Node]
    downstream: Mapping[str, tuple[str, ...]]
    _bits: Mapping[str, int]
    _above: Mapping[str, int]
    _below: Mapping[str, int]

    @classmethod
    def of(cls, specs: Mapping[str, NodeSpec], input: Any = None) -> Graph:
        """The graph of a spec's nodes, with the run's `input` at hand for every template.

        Raises:
            SpecError: a template is wrong, names something unknown, or there is a cycle.
        """
        nodes = _compiled(specs, input)
        downstream = _downstream(nodes)
        order = _sorted(nodes, downstream)
        bits = {name: 1 << index for index, name in enumerate(order)}
        return cls(
            nodes={name: nodes[name] for name in order},
            downstream=downstream,
            _bits=bits,
            _above=_reached(order, lambda name: nodes[name].upstream, bits),
            _below=_reached(reversed(order), lambda name: downstream[name], bits),
        )

    def ancestors(self, name: str) -> tuple[str, ...]:
        """All that `name` needs, directly or not, in topological order."""
        return self._names(self._above[name])

    def descendants(self, name: str) -> tuple[str, ...]:
        """All that needs `name`, directly or not, in topological order."""
        return self._names(self._below[name])

    def needs(self, name: str, other: str) -> bool:
        """Whether `other` is an ancestor of `name`."""
        return bool(self._above[name] & self._bits[other])

    def _names(self, mask: int) -> tuple[str, ...]:
        return tuple(name for name, bit in self._bits.items() if mask & bit)

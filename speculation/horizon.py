"""How far it is to the end of the run, from each node that a batch of decisions can move.

Bets come near a few nodes of a DAG. Behind those everything takes its turn, whatever is bet, and of
all that only the length of the longest way counts. It is worked out once for a batch; what is left
to follow, bet by bet, are the ends of the nodes before it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from forerun.speculation.makespan import Leg, Network


class Horizon:
    """A network cut in two: `near` are the nodes whose ends are to be followed, the rest is beyond.

    `movable` are the nodes that something may run ahead of or that may be skipped; `awaited` are
    others whose ends matter.
    """

    def __init__(self, network: Network, movable: Collection[str], awaited: Iterable[str]) -> None:
        self._network = network
        self.way_ms = dict.fromkeys(network, 0)
        """From the end of a node to that of the run, through nodes that are not movable."""
        self.past_ms = 0
        """The longest way that passes no near node."""
        near = {*movable, *awaited}
        for name in reversed(list(network)):
            step = network[name]
            awaits, way_ms = step.awaits, step.ms + self.way_ms[name]
            if name in near:
                near.update(awaits)
            elif not awaits:
                self.past_ms = max(self.past_ms, way_ms)
            if name not in movable:
                for up in awaits:
                    self.way_ms[up] = max(self.way_ms[up], way_ms)
        self.near: Network = {name: step for name, step in network.items() if name in near}
        self._ways: dict[tuple[tuple[str, ...], bool], tuple[str | None, tuple[Leg, ...]]] = {}

    def way_on(self, last: tuple[str, ...], makespan_ms: int) -> tuple[str | None, tuple[Leg, ...]]:
        """The near node by which a critical path leaves, None if it comes near none; its legs beyond.

        `last` are the near nodes from which the run takes until `makespan_ms`.
        """
        key = last, makespan_ms == self.past_ms
        if key not in self._ways:
            self._ways[key] = self._read_backwards(self._critical(*key))
        return self._ways[key]

    def _critical(self, last: tuple[str, ...], past: bool) -> set[str]:
        """`last`, and the nodes beyond that lie on a longest way."""
        critical = set(last)
        for name, step in self._network.items():
            if name not in self.near:
                way_ms = step.ms + self.way_ms[name]
                outermost = past and not step.awaits and way_ms == self.past_ms
                if outermost or any(self._leads(up, way_ms, critical) for up in step.awaits):
                    critical.add(name)
        return critical

    def _read_backwards(self, critical: set[str]) -> tuple[str | None, tuple[Leg, ...]]:
        """From the first node that ends when the run does."""
        name = next((n for n in self._network if n in critical and not self.way_ms[n]), None)
        legs: list[Leg] = []
        while name is not None and name not in self.near:
            step = self._network[name]
            legs.append(Leg(name, step.ms))
            way_ms = step.ms + self.way_ms[name]
            name = next((up for up in step.awaits if self._leads(up, way_ms, critical)), None)
        return name, tuple(leg for leg in reversed(legs) if leg.ms)

    def _leads(self, node: str, way_ms: int, critical: set[str]) -> bool:
        """Whether a longest way leads from this node over a user so far from the end."""
        return node in critical and self.way_ms[node] == way_ms

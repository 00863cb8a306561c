"""M(S): how long the run will still take if the placed bets S are all right.

The remaining longest path, with point estimates in whole milliseconds. A speculation shortens it:
its result counts from the later of its own end and the ends of what it assumed (only then is it
known to be right). Waiting for people counts nothing, so that a bet before an approval is judged
by the time that a machine can save.

One batch of decisions asks this hundreds of times of a thousand nodes: only ends are computed then,
and the path behind them when somebody wants to read it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Leg:
    """One stretch of a path: so many milliseconds of that node."""

    node: str
    ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A node as the makespan sees it. `ms` is what is left of it: 0 when it is done.

    `started` steps no longer wait for their upstream.
    """

    upstream: tuple[str, ...]
    ms: int
    started: bool = False


Network = Mapping[str, Step]
"""Every unfinished node of a run by name, each after its upstream."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """A speculation on `node`, placed or considered.

    `legs` lead to its own end, counted from now; `assumed` are the nodes whose ends it must outlast
    before its result counts. One that is not in the network has ended.
    """

    node: str
    legs: tuple[Leg, ...]
    assumed: tuple[str, ...]
    end_ms: int = field(init=False)
    """Its own end, from now."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "end_ms", sum(leg.ms for leg in self.legs))

    def counts_from(self, ends: Mapping[str, int]) -> int:
        """When its result is known to be right, in milliseconds from now."""
        return max([self.end_ms, *[ends.get(node, 0) for node in self.assumed]])


@dataclass(frozen=True, slots=True)
class Forecast:
    """When each node will be over, in milliseconds from now, and what decides that."""

    network: Network
    aheads: Mapping[str, Sequence[Ahead]]
    ends: Mapping[str, int]

    @property
    def makespan_ms(self) -> int:
        """M: the end of the last node; 0 for a run with nothing left."""
        return max(self.ends.values(), default=0)

    def critical_path(self) -> tuple[Leg, ...]:
        """Legs that add up to the makespan, first to last, none of them empty."""
        stretches: list[tuple[Leg, ...]] = []
        node = max(self.ends, key=self.ends.__getitem__, default=None)
        while node is not None:
            node, own = self._binding(node)
            stretches.append(tuple(leg for leg in own if leg.ms))
        return tuple(leg for stretch in reversed(stretches) for leg in stretch)

    def _binding(self, name: str) -> tuple[str | None, tuple[Leg, ...]]:
        """What the end of a node hangs on, and the legs from there: its turn, unless one is ahead."""
        step, end = self.network[name], self.ends[name]
        if in_turn(step, self.ends) == end:
            before = () if step.started else step.upstream
            return _last(before, self.ends), (Leg(name, step.ms),)
        ahead = next(a for a in self.aheads[name] if a.counts_from(self.ends) == end)
        known = _last(ahead.assumed, self.ends)
        if known is not None and self.ends[known] == end:
            return known, ()
        return None, ahead.legs


def forecast(network: Network, aheads: Sequence[Ahead]) -> Forecast:
    """The ends of all nodes if every one of `aheads` proves right."""
    by_node: dict[str, list[Ahead]] = {}
    for ahead in aheads:
        by_node.setdefault(ahead.node, []).append(ahead)
    ends: dict[str, int] = {}
    for name, step in network.items():
        ends[name] = in_turn(step, ends)
        if name in by_node:
            ends[name] = min([ends[name], *[a.counts_from(ends) for a in by_node[name]]])
    return Forecast(network, by_node, ends)


def in_turn(step: Step, ends: Mapping[str, int]) -> int:
    """The end of a node that nothing runs ahead of."""
    if step.started or not step.upstream:
        return step.ms
    if len(step.upstream) == 1:
        return ends[step.upstream[0]] + step.ms
    return max([ends[up] for up in step.upstream]) + step.ms


def differing(
    one: tuple[Leg, ...], other: tuple[Leg, ...]
) -> tuple[tuple[Leg, ...], tuple[Leg, ...]]:
    """Both paths without their common head and tail: a record must not grow with the DAG."""
    shorter = min(len(one), len(other))
    head = next((i for i in range(shorter) if one[i] != other[i]), shorter)
    left = shorter - head
    tail = next((i for i in range(left) if one[-1 - i] != other[-1 - i]), left)
    return one[head : len(one) - tail], other[head : len(other) - tail]


def _last(names: Sequence[str], ends: Mapping[str, int]) -> str | None:
    return max((name for name in names if name in ends), key=ends.__getitem__, default=None)

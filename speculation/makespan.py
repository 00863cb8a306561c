"""M(S): how long the run will still take if the placed bets S are all right.

The remaining longest path, with point estimates in whole milliseconds. A speculation shortens it:
its result counts from the later of its own end and the ends of what it assumed (only then is it
known to be right). Waiting for people counts nothing, so that a bet before an approval is judged
by the time that a machine can save.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


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
"""Every node of a run by name, each after its upstream."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """A speculation on `node`, placed or considered.

    `legs` lead to its own end, counted from now; `assumed` are the nodes whose ends it must outlast
    before its result counts.
    """

    node: str
    legs: tuple[Leg, ...]
    assumed: tuple[str, ...]

    @property
    def end_ms(self) -> int:
        """Its own end, from now."""
        return sum(leg.ms for leg in self.legs)


@dataclass(frozen=True, slots=True)
class Forecast:
    """When each node will be over, in milliseconds from now, and what decides that."""

    ends: Mapping[str, int]
    _binding: Mapping[str, tuple[str | None, tuple[Leg, ...]]]

    @property
    def makespan_ms(self) -> int:
        """M: the end of the last node; 0 for a run with nothing left."""
        return max(self.ends.values(), default=0)

    def critical_path(self) -> tuple[Leg, ...]:
        """Legs that add up to the makespan, first to last, none of them empty."""
        legs: list[Leg] = []
        node = max(self.ends, key=self.ends.__getitem__, default=None)
        while node is not None:
            before, own = self._binding[node]
            legs[:0] = [leg for leg in own if leg.ms]
            node = before
        return tuple(legs)


def forecast(network: Network, aheads: Sequence[Ahead]) -> Forecast:
    """The ends of all nodes if every one of `aheads` proves right."""
    by_node: dict[str, list[Ahead]] = {}
    for ahead in aheads:
        by_node.setdefault(ahead.node, []).append(ahead)
    ends: dict[str, int] = {}
    binding: dict[str, tuple[str | None, tuple[Leg, ...]]] = {}
    for name, step in network.items():
        ends[name], binding[name] = _in_turn(name, step, ends)
        for ahead in by_node.get(name, ()):
            end, bound = _ahead_of_turn(ahead, ends)
            if end < ends[name]:
                ends[name], binding[name] = end, bound
    return Forecast(ends, binding)


def differing(
    one: tuple[Leg, ...], other: tuple[Leg, ...]
) -> tuple[tuple[Leg, ...], tuple[Leg, ...]]:
    """Both paths without their common head and tail: a record must not grow with the DAG."""
    shorter = min(len(one), len(other))
    head = next((i for i in range(shorter) if one[i] != other[i]), shorter)
    left = shorter - head
    tail = next((i for i in range(left) if one[-1 - i] != other[-1 - i]), left)
    return one[head : len(one) - tail], other[head : len(other) - tail]


def _in_turn(
    name: str, step: Step, ends: Mapping[str, int]
) -> tuple[int, tuple[str | None, tuple[Leg, ...]]]:
    last = None if step.started else _last(step.upstream, ends)
    before = ends[last] if last is not None else 0
    return before + step.ms, (last, (Leg(name, step.ms),))


def _ahead_of_turn(
    ahead: Ahead, ends: Mapping[str, int]
) -> tuple[int, tuple[str | None, tuple[Leg, ...]]]:
    last = _last(ahead.assumed, ends)
    if last is not None and ends[last] >= ahead.end_ms:
        return ends[last], (last, ())
    return ahead.end_ms, (None, ahead.legs)


def _last(names: tuple[str, ...], ends: Mapping[str, int]) -> str | None:
    return max(names, key=ends.__getitem__, default=None)

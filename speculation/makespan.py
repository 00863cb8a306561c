"""M(S): how long the run will still take if the placed bets S are all right.

The remaining longest path, with point estimates in whole milliseconds. A speculation shortens it:
its result counts from the later of its own end and the ends of what it assumed (only then is it
known to be right). Waiting for people counts nothing, so that a bet before an approval is judged
by the time that a machine can save.
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

    @property
    def awaits(self) -> tuple[str, ...]:
        """The nodes that must be over before it begins."""
        return () if self.started else self.upstream


Network = Mapping[str, Step]
"""Every unfinished node of a run by name, each after its upstream."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """A speculation on `node`, placed or considered.

    `ms` is what is left of its call, which begins now, or at the end of `after`, whose result it
    needs. `assumed` are the nodes whose ends it must outlast before its own result counts; one that
    is not in the network has ended.
    """

    node: str
    ms: int
    assumed: tuple[str, ...]
    after: Ahead | None = None
    end_ms: int = field(init=False)
    """Its own end, from now."""

    def __post_init__(self) -> None:
        begin_ms = self.after.end_ms if self.after else 0
        object.__setattr__(self, "end_ms", begin_ms + self.ms)

    @property
    def legs(self) -> tuple[Leg, ...]:
        """The calls that lead to its end, first to last."""
        before = self.after.legs if self.after else ()
        return (*before, Leg(self.node, self.ms))

    def counts_from(self, ends: Mapping[str, int]) -> int:
        """When its result is known to be right, in milliseconds from now."""
        known = self.end_ms
        for node in self.assumed:
            end = ends.get(node, 0)
            if end > known:
                known = end
        return known


@dataclass(frozen=True, slots=True)
class Forecast:
    """When each node will be over, in milliseconds from now."""

    ends: dict[str, int]

    @property
    def makespan_ms(self) -> int:
        """M: the end of the last node; 0 for a run with nothing left."""
        return max(self.ends.values(), default=0)


def forecast(network: Network, aheads: Sequence[Ahead]) -> Forecast:
    """The ends of all nodes if every one of `aheads` proves right."""
    by_node: dict[str, list[Ahead]] = {}
    for ahead in aheads:
        by_node.setdefault(ahead.node, []).append(ahead)
    ends: dict[str, int] = {}
    for name, step in network.items():
        ends[name] = end_of(step, by_node.get(name, ()), ends)
    return Forecast(ends)


def end_of(step: Step, aheads: Sequence[Ahead], ends: Mapping[str, int]) -> int:
    """The end of a node: in its turn, or by the first of the speculations on it."""
    end = in_turn(step, ends)
    for ahead in aheads:
        known = ahead.counts_from(ends)
        if known < end:
            end = known
    return end


def in_turn(step: Step, ends: Mapping[str, int]) -> int:
    """The end of a node that nothing runs ahead of."""
    if step.started:
        return step.ms
    begin = 0
    for up in step.upstream:
        if ends[up] > begin:
            begin = ends[up]
    return begin + step.ms


def differing(
    one: tuple[Leg, ...], other: tuple[Leg, ...]
) -> tuple[tuple[Leg, ...], tuple[Leg, ...]]:
    """Both paths without their common head and tail: a record must not grow with the DAG."""
    head = _common(one, other)
    tail = _common(one[head:][::-1], other[head:][::-1])
    return one[head : len(one) - tail], other[head : len(other) - tail]


def _common(one: tuple[Leg, ...], other: tuple[Leg, ...]) -> int:
    """How many legs both begin with."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((i for i, (a, b) in pairs if a is not b and a != b), min(len(one), len(other)))

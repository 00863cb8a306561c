"""Where each node of a run stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from forerun.speculation.canonical import digest
    from forerun.workflows.graph import Graph
    from forerun.workflows.node import Node


class NodeState(StrEnum):
    """From waiting for its inputs to one of its ends."""

    WAITING = "waiting"
    RUNNING = "running"
    AWAITING = "awaiting"
    """An effect that waits at its barrier."""
    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"
    STOPPED = "stopped"
    """Never run, because something it needs failed, or the run was cancelled."""
    DECLINED = "declined"
    """An effect that was rejected, or whose approval expired."""

    @property
    def ended(self) -> bool:
        """Nothing more will happen to it."""
        return self not in (NodeState.WAITING, NodeState.RUNNING, NodeState.AWAITING)


@dataclass(slots=True)
class NodeRun:
    """One node. Times are workflow time, in milliseconds since the epoch.

    `busy_ms` is what its own call took; of one that ran ahead, without its wait in the queue of
    guesses. `person_ms` is how long its barrier waited for people. `after` are nodes whose output was
    awaited before this one was declared, at `declared_ms`: no edges, but it could not start earlier.
    `seen` says that its own end was awaited.
    """

    name: str
    declared_ms: int = 0
    after: tuple[str, ...] = ()
    state: NodeState = NodeState.WAITING
    output: Any = None
    error: str | None = None
    started_ms: int | None = None
    ended_ms: int | None = None
    busy_ms: int = 0
    person_ms: int = 0
    seen: bool = False

    @property
    def digest(self) -> str | None:
        """SHA-256 (hex) of its output; None as long as it has none."""
        return digest(self.output) if self.state is NodeState.DONE else None


class Nodes:
    """All nodes of a run, in topological order."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._runs = {name: NodeRun(name) for name in graph.nodes}

    def __getitem__(self, name: str) -> NodeRun:
        return self._runs[name]

    def __contains__(self, name: str) -> bool:
        return name in self._runs

    def __iter__(self) -> Iterator[NodeRun]:
        return iter(tuple(self._runs.values()))

    @property
    def all_ended(self) -> bool:
        """Whether the run has nothing left to do."""
        return all(run.state.ended for run in self)

    @property
    def whole(self) -> Iterator[NodeRun]:
        """Without the items of `for_each` nodes: what people gave names to."""
        return (run for run in self if self.graph.nodes[run.name].index is None)

    def add(self, node: Node, declared_ms: int, after: tuple[str, ...] = ()) -> None:
        """Add a node that needs only nodes which are there already."""
        self.graph.add(node)
        self._runs[node.name] = NodeRun(node.name, declared_ms, after)

    def expand(self, name: str, count: int) -> list[NodeRun]:
        """Add the items of a `for_each` node, whose list is known now."""
        items = [NodeRun(item.name) for item in self.graph.expand(name, count)]
        known = self._runs | {run.name: run for run in items}
        self._runs = {name: known[name] for name in self.graph.nodes}
        return items

    def may_start(self, node: Node) -> bool:
        """Whether the concurrency of the `for_each` that an item belongs to has room for it."""
        if node.parent is None:
            return True
        items = (self._runs[name] for name in self.graph.items(node.parent))
        return sum(run.state is NodeState.RUNNING for run in items) < node.spec.concurrency

    def state(self, name: str) -> NodeState:
        """The state of a node; of an item that is not there yet, that of its parent."""
        run = self._runs.get(name)
        return run.state if run else self._runs[self.graph.node(name).parent or name].state

    def values(self, name: str) -> dict[str, Any]:
        """The outputs of the upstream of `name` that have one."""
        runs = (self._runs[up] for up in self.graph.node(name).upstream)
        return {run.name: run.output for run in runs if run.state is NodeState.DONE}

    def behind(self, name: str) -> set[str]:
        """Nodes whose outputs may have found their way into this one, itself and items left out.

        Its ancestors, and what a user's own code had awaited before it, or one of them, was declared.
        """
        found: set[str] = set()
        last = [name]
        while last:
            run = self._runs[last.pop()]
            whole = self.graph.nodes[run.name].parent
            before = {*self.graph.nodes[run.name].upstream, *run.after, *([whole] if whole else [])}
            last += before - found
            found |= before
        return found

    def states(self) -> dict[str, str]:
        """Every node's state, for queries."""
        return {name: run.state.value for name, run in self._runs.items()}


def now_ms() -> int:
    """Workflow time in whole milliseconds."""
    return workflow.time_ns() // 1_000_000

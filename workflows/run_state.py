"""Where each node of a run stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from forerun.workflows.graph import Graph


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

    `busy_ms` is what its own call took, from its launch, ahead of its turn or not, to its end;
    `person_ms` is how long its barrier waited for people.
    """

    name: str
    state: NodeState = NodeState.WAITING
    output: Any = None
    error: str | None = None
    started_ms: int | None = None
    ended_ms: int | None = None
    busy_ms: int = 0
    person_ms: int = 0


class Nodes:
    """All nodes of a run, in topological order."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._runs = {name: NodeRun(name) for name in graph.nodes}

    def __getitem__(self, name: str) -> NodeRun:
        return self._runs[name]

    def __iter__(self) -> Iterator[NodeRun]:
        return iter(self._runs.values())

    @property
    def all_ended(self) -> bool:
        """Whether the run has nothing left to do."""
        return all(run.state.ended for run in self)

    def values(self, name: str) -> dict[str, Any]:
        """The outputs of the upstream of `name` that have one."""
        runs = (self._runs[up] for up in self.graph.nodes[name].upstream)
        return {run.name: run.output for run in runs if run.state is NodeState.DONE}

    def states(self) -> dict[str, str]:
        """Every node's state, for queries."""
        return {name: run.state.value for name, run in self._runs.items()}


def now_ms() -> int:
    """Workflow time in whole milliseconds."""
    return workflow.time_ns() // 1_000_000

"""How long the run took, and how long the same parallel run would have taken without speculation.

Both are rebuilt from recorded durations, and both leave out the time that people took: otherwise a
slow approval would hide, or pretend, any saving.
"""

from __future__ import annotations

from dataclasses import dataclass

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from forerun.speculation.sequence import Turn, in_sequence, span_ms
    from forerun.workflows.run_state import NodeRun, Nodes


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Seconds without waits for people; `saved` may be negative."""

    seconds: float
    sequential_seconds: float

    @property
    def saved_seconds(self) -> float:
        """What speculation saved."""
        return round(self.sequential_seconds - self.seconds, 3)


def timing(nodes: Nodes, began_ms: int) -> Timing:
    """The timing of a finished run that began at `began_ms`."""
    return Timing(
        seconds=_actual_ms(nodes, began_ms) / 1000,
        sequential_seconds=_sequential_ms(nodes, began_ms) / 1000,
    )


def _sequential_ms(nodes: Nodes, began_ms: int) -> int:
    """The longest path of the calls' own durations, each after what it needed to start."""
    return span_ms(in_sequence(_turn(run, nodes, began_ms) for run in nodes))


def _turn(run: NodeRun, nodes: Nodes, began_ms: int) -> Turn:
    node = nodes.graph.nodes[run.name]
    return Turn(
        node=run.name,
        waits_for=nodes.graph.waits_for(run.name),
        ms=run.busy_ms,
        after=run.after,
        pause_ms=_pause_ms(run, nodes, began_ms),
        group=node.parent,
        places=node.spec.concurrency,
    )


def _pause_ms(run: NodeRun, nodes: Nodes, began_ms: int) -> int:
    """What a user's own code took between the last output that it awaited and declaring a node."""
    known_ms = max([began_ms, *(nodes[other].ended_ms or 0 for other in run.after)])
    return max(run.declared_ms - known_ms, 0)


def _actual_ms(nodes: Nodes, began_ms: int) -> int:
    """The last end, each end moved forward by the waits for people on the way to it."""
    waited: dict[str, int] = {}
    ends: dict[str, int] = {}
    for run in nodes:
        before = (*nodes.graph.waits_for(run.name), *run.after)
        last = max(before, key=lambda other: ends[other] + waited[other], default=None)
        waited[run.name] = (waited[last] if last else 0) + run.person_ms
        over = run.ended_ms if run.ended_ms is not None else began_ms
        ends[run.name] = over - began_ms - waited[run.name]
    return max((*ends.values(), 0))

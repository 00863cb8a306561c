"""How long the run took, and how long the same parallel run would have taken without speculation.

Both are rebuilt from recorded durations, and both leave out the time that people took: otherwise a
slow approval would hide, or pretend, any saving.
"""

from __future__ import annotations

from dataclasses import dataclass

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from forerun.speculation.makespan import Step, forecast
    from forerun.workflows.run_state import Nodes


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
        sequential_seconds=_sequential_ms(nodes) / 1000,
    )


def _sequential_ms(nodes: Nodes) -> int:
    """The longest path of the calls' own durations, each after its upstream."""
    steps = {
        run.name: Step(upstream=nodes.graph.nodes[run.name].upstream, ms=max(run.busy_ms, 0))
        for run in nodes
    }
    return forecast(steps, []).makespan_ms


def _actual_ms(nodes: Nodes, began_ms: int) -> int:
    """The last end, each end moved forward by the waits for people on the way to it."""
    waited: dict[str, int] = {}
    ends: dict[str, int] = {}
    for run in nodes:
        upstream = nodes.graph.nodes[run.name].upstream
        last = max(upstream, key=lambda up: ends[up] + waited[up], default=None)
        waited[run.name] = (waited[last] if last else 0) + run.person_ms
        over = run.ended_ms if run.ended_ms is not None else began_ms
        ends[run.name] = over - began_ms - waited[run.name]
    return max((*ends.values(), 0))

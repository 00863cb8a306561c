"""The counterfactual: the run's own calls, each in its turn, none on a guess."""

from __future__ import annotations

from collections.abc import Iterator

from forerun.speculation.record import Outcome
from forerun.speculation.sequence import Stretch, Turn, in_sequence
from forerun.speculation.table import Ending
from forerun.workers.audit.launched import makers
from forerun.workers.audit.run import COMMIT, Call, Run
from forerun.workflows.graph import Graph


def counterfactual(run: Run) -> dict[str, Stretch] | None:
    """When each node would have run without speculation; None where the graph is not known.

    Waits for people are left out, as they are in the ledger's `sequential_seconds`.
    """
    if run.graph is None:
        return None
    return in_sequence(_turns(run, run.graph))


def _turns(run: Run, graph: Graph) -> Iterator[Turn]:
    took = _took_ms(run)
    for name, node in graph.nodes.items():
        items = sorted(
            int(index)
            for made in took
            if (index := made.removeprefix(f"{name}[").removesuffix("]")).isdecimal()
            and made == f"{name}[{index}]"
        )
        for index in items if node.gathers else ():
            yield Turn(
                node=f"{name}[{index}]",
                waits_for=node.upstream,
                ms=took[f"{name}[{index}]"],
                group=name,
                places=node.spec.concurrency,
            )
        waits_for = tuple(f"{name}[{index}]" for index in items) if node.gathers else ()
        yield Turn(node=name, waits_for=waits_for or node.upstream, ms=took.get(name, 0))


def _took_ms(run: Run) -> dict[str, int]:
    """What the call of each node took: of a promoted one, the call itself, without its queue."""
    took: dict[str, int] = {}
    promoted = _promoted_ms(run)
    for node, calls in makers(run).items():
        took[node] = min(promoted.get(call.id, _between(call)) for call in calls)
    for call in run.calls:
        failed = call.certain and not call.completed
        if (failed or call.type == COMMIT) and call.end is not None:
            took.setdefault(call.node, _between(call))
    return took


def _promoted_ms(run: Run) -> dict[str, int]:
    return {
        outcome.speculation: int(outcome.seconds.scaleb(3))
        for _, outcome in run.of(Outcome)
        if outcome.outcome is Ending.PROMOTED and outcome.seconds is not None
    }


def _between(call: Call) -> int:
    """As the run saw it: from asking to hearing of the end."""
    heard = call.end.heard_ms if call.end else None
    return max((heard or call.asked_ms) - call.asked_ms, 0)

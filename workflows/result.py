"""The result of a run, in the words of its outside contract (design 5): money as strings."""

from __future__ import annotations

from typing import Any

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from forerun.speculation.equivalence import Approximation
    from forerun.speculation.ledger import Ledger
    from forerun.speculation.quantities import text
    from forerun.speculation.record import plain
    from forerun.speculation.table import Ending
    from forerun.workflows.barrier import Barrier
    from forerun.workflows.omission import omitting
    from forerun.workflows.run_state import Nodes, NodeState
    from forerun.workflows.timing import Timing

OUTPUT_BYTES = 1_200_000
RECEIPT_BYTES = 300_000


def result_of(
    nodes: Nodes,
    barrier: Barrier,
    approximations: list[Approximation],
    ledger: Ledger,
    timing: Timing,
    last_record: str,
) -> dict[str, Any]:
    """Outputs, ends and the ledger of a run. Receipts are in `effects`, not in `outputs`."""
    return {
        "outputs": omitting(
            {
                run.name: run.output
                for run in nodes.whole
                if run.state is NodeState.DONE and not nodes.graph.nodes[run.name].effect
            },
            OUTPUT_BYTES,
        ),
        "skipped": [
            run.name for run in nodes.whole if run.state in (NodeState.SKIPPED, NodeState.STOPPED)
        ],
        "failed": failed(nodes),
        "effects": omitting(
            {
                intent: end.as_result()
                for intent, end in barrier.ends.items()
                if end.state != "failed"
            },
            RECEIPT_BYTES,
            within="receipt",
        ),
        "approximations": plain(approximations),
        "last_record": last_record,
        "ledger": ledger_view(ledger, timing),
    }


def failed(nodes: Nodes) -> dict[str, str]:
    """The nodes that failed, with why."""
    return {run.name: run.error or "" for run in nodes.whole if run.state is NodeState.FAILED}


def ledger_view(ledger: Ledger, timing: Timing) -> dict[str, Any]:
    """The ledger as JSON data."""
    return {
        "spent_usd": text(ledger.spent_usd),
        "authoritative_usd": text(ledger.authoritative_usd),
        "promoted_usd": text(ledger.promoted_usd),
        "wasted_usd": text(ledger.wasted_usd),
        "guess_usd": text(ledger.guess_usd),
        "unpriced_calls": ledger.unpriced_calls,
        "seconds": timing.seconds,
        "sequential_seconds": timing.sequential_seconds,
        "saved_seconds": timing.saved_seconds,
        "speculations": {
            "launched": ledger.launched,
            **{ending.value: ledger.endings[ending] for ending in Ending},
        },
    }

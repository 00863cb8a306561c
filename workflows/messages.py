"""What a run can be told and asked while it lives: signals, one update, queries.

They take raw JSON: a typed signal that does not parse is dropped without a trace, and an argument
that does not would retry the workflow task for ever. Messages that come before a workflow listens
are kept by the SDK until it does, those of one name after those of another: `AgentDag` hears its
signals from the start, so that of an approval and a rejection the first wins; elsewhere, of two that
come before a run has begun, the rejection does.
"""

from __future__ import annotations

from typing import Any

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from forerun.activities.checkpoints import CHECKPOINT
    from forerun.speculation.quantities import text
    from forerun.workflows.omission import page_of
    from forerun.workflows.policy_update import changed_policy
    from forerun.workflows.run import Run

RECORD_BYTES = 1_000_000
"""Of one answer to `decisions`; with the number of records already read it goes on from there."""


def listen(run: Run) -> None:
    """Answer the messages of the outside contract (design 5) for this run."""

    def approve(*payloads: Any) -> None:
        run.barrier.receive("approve", payloads)

    def reject(*payloads: Any) -> None:
        run.barrier.receive("reject", payloads)

    def checkpoint(*payloads: Any) -> None:
        run.engine.told(payloads)

    def ledger(*_: Any) -> dict[str, Any]:
        return run.ledger()

    def decisions(*start: Any) -> list[dict[str, Any]]:
        first = start[0] if start and isinstance(start[0], int) else 0
        return page_of(run.books.records, first, RECORD_BYTES)

    def pending(*intent: Any) -> dict[str, Any]:
        only = str(intent[0]) if intent else None
        return {**run.barrier.pending(only), "checkpoints_ignored": run.engine.ignored}

    async def set_policy(*payloads: Any) -> dict[str, str]:
        policy = changed_policy(run.engine.runtime.policy, payloads)
        run.engine.set_policy(policy)
        return {
            "alpha": text(policy.alpha),
            "usd_per_second": text(policy.usd_per_second),
            "budget_usd": text(policy.budget_usd),
        }

    def check_policy(*payloads: Any) -> None:
        changed_policy(run.engine.runtime.policy, payloads)

    here: Any = workflow  # the SDK leaves the types of its handlers partly unknown
    here.set_signal_handler("reject", reject)
    here.set_signal_handler("approve", approve)
    here.set_signal_handler(CHECKPOINT, checkpoint)
    here.set_update_handler("set_policy", set_policy, validator=check_policy)
    here.set_query_handler("ledger", ledger)
    here.set_query_handler("decisions", decisions)
    here.set_query_handler("pending", pending)

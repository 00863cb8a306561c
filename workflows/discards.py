"""Throwing away what was staged and will not be committed.

Every stage that was ever sent is discarded, once it is over, unless its intent claimed it and is not
rejected: also one that was cut or has failed, since its worker may still come to make it. The run
waits for all discards before it closes; what they cannot reach, a sweep finds.
"""

from __future__ import annotations

import asyncio

from temporalio import workflow
from temporalio.exceptions import ActivityError

from forerun.workflows.options import (
    CANCELLATION,
    COMMIT_TIMEOUT,
    DISCARD_RETRY,
    DISCARD_TIMEOUT,
    HEARTBEAT_TIMEOUT,
    NEXT_TASK,
    Lane,
)

with workflow.unsafe.imports_passed_through():
    from forerun.activities.intent import DISCARD, DiscardRequest
    from forerun.speculation.canonical import digest
    from forerun.speculation.table import CallTable, SpeculativeCall
    from forerun.workflows.barrier import Barrier
    from forerun.workflows.errands import errand
    from forerun.workflows.graph import Graph

REQUEST_BYTES = 500


class Discards:
    """The discards of one run, which is over only once they are."""

    def __init__(self, graph: Graph, table: CallTable, barrier: Barrier) -> None:
        self._graph = graph
        self._table = table
        self._barrier = barrier
        self._asked: set[str] = set()
        self._under_way: set[asyncio.Task[None]] = set()

    def send(self, *, closing: bool = False) -> None:
        """Discard the stages that are over, or all of them, and that nobody will commit."""
        for speculation in self._table:
            over = closing or speculation.ending is not None
            if over and speculation.id not in self._asked and self._lost(speculation):
                self._asked.add(speculation.id)
                task = errand(self._discard(speculation))
                self._under_way.add(task)
                task.add_done_callback(self._under_way.discard)

    async def close(self) -> None:
        """All else has ended: discard what is left, and wait for every discard."""
        self.send(closing=True)
        if self._under_way:
            await workflow.wait_condition(lambda: not self._under_way)

    def _lost(self, speculation: SpeculativeCall) -> bool:
        if not self._graph.node(speculation.node).effect:
            return False
        end = self._barrier.ends.get(speculation.node)
        wanted = end is None or end.state == "committed"
        return speculation.claimed_by is None or not wanted

    async def _discard(self, speculation: SpeculativeCall) -> None:
        call = speculation.call
        while not self._barrier.allowance.take(REQUEST_BYTES):
            await workflow.sleep(NEXT_TASK)
        try:
            await workflow.execute_activity(
                DISCARD,
                DiscardRequest(
                    intent=speculation.node,
                    operation=call.operation,
                    version=call.version,
                    digest=digest(call.arguments),
                ),
                activity_id=f"discard:{speculation.id}",
                task_queue=Lane.STAGING.value.task_queue,
                priority=Lane.STAGING.value.priority,
                start_to_close_timeout=COMMIT_TIMEOUT,
                schedule_to_close_timeout=DISCARD_TIMEOUT,
                heartbeat_timeout=HEARTBEAT_TIMEOUT,
                retry_policy=DISCARD_RETRY,
                cancellation_type=CANCELLATION,
                summary=f"discard {speculation.node} <- {speculation.label}",
            )
        except ActivityError as error:
            workflow.logger.warning(
                "stage.left", extra={"intent": speculation.node, "why": str(error.cause or error)}
            )

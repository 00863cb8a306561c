"""A workflow that makes one model call and says what it learned of its cost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from forerun.activities.call_result import Bill, Completed, Cut
    from forerun.activities.failures import bill_of_failure, rate_limited_seconds
    from forerun.activities.model_call import ModelCalls, ModelRequest


@dataclass(frozen=True, kw_only=True)
class Learned:
    """How a call ended, and the bill that came with it."""

    kind: str
    bill: Bill | None
    output: Any = None
    rate_limited_seconds: float | None = None


@workflow.defn(name="CallFlow")
class CallFlow:
    """Calls once; the signal `cut` asks for the end of the call."""

    def __init__(self) -> None:
        self._call: workflow.ActivityHandle[Completed | Cut] | None = None

    @workflow.signal
    def cut(self) -> None:
        if self._call is not None:
            self._call.cancel()

    @workflow.run
    async def run(self, request: ModelRequest, attempts: int) -> Learned:
        self._call = workflow.start_activity_method(
            ModelCalls.model_call,
            request,
            start_to_close_timeout=timedelta(seconds=30),
            heartbeat_timeout=timedelta(seconds=10),
            retry_policy=RetryPolicy(
                initial_interval=timedelta(milliseconds=10), maximum_attempts=attempts
            ),
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        )
        try:
            match await self._call:
                case Completed() as completed:
                    return Learned(kind="completed", bill=completed.bill, output=completed.output)
                case Cut() as cut:
                    return Learned(kind="cut", bill=cut.bill)
        except ActivityError as error:
            return Learned(
                kind="failed",
                bill=bill_of_failure(error),
                rate_limited_seconds=rate_limited_seconds(error),
            )

"""A workflow that makes one watched model call and keeps what the call told it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from forerun.activities.call_result import CallResult
    from forerun.activities.checkpoints import CHECKPOINT
    from forerun.activities.model_call import ModelCalls, ModelRequest
    from forerun.workflows.checkpoints import Checkpoints

CALL = "upstream"


@dataclass(frozen=True, kw_only=True)
class Told:
    """How the call ended, and the messages before that: raw, and as the run understood them."""

    result: CallResult | None
    messages: list[Any]
    latest: Any
    held: list[tuple[str, float]]
    ignored: int

    @property
    def values(self) -> list[Any]:
        return [message["value"] for message in self.messages]


@workflow.defn(name="CheckpointFlow")
class CheckpointFlow:
    """With `until`, the call is cut once its newest value is that."""

    def __init__(self) -> None:
        self._checkpoints = Checkpoints()
        self._messages: list[Any] = []
        self._held: list[tuple[str, float]] = []

    @workflow.signal(name=CHECKPOINT)
    def checkpoint(self, *payloads: Any) -> None:
        self._messages.extend(payloads)
        limited = self._checkpoints.receive(payloads)
        if limited is not None:
            self._held.append((limited.provider, limited.rate_limited_seconds))

    @workflow.run
    async def run(self, request: ModelRequest, attempts: int, until: Any) -> Told:
        self._checkpoints.grant(CALL)
        call = workflow.start_activity_method(
            ModelCalls.model_call,
            request,
            activity_id=CALL,
            start_to_close_timeout=timedelta(seconds=30),
            retry_policy=RetryPolicy(
                initial_interval=timedelta(milliseconds=10), maximum_attempts=attempts
            ),
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        )
        if until is not None:
            await workflow.wait_condition(lambda: self._latest == until)
            call.cancel()
        try:
            result = await call
        except ActivityError:
            result = None
        return Told(
            result=result,
            messages=self._messages,
            latest=self._latest,
            held=self._held,
            ignored=self._checkpoints.ignored,
        )

    @property
    def _latest(self) -> Any:
        newest = self._checkpoints.latest(CALL)
        return newest.value if newest else None

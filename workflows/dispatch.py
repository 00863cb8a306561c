"""Starting, cutting and promoting calls: handles, not dollars.

A call ends exactly once, by its activity's result or failure, and is then picked up by the run in
one place. Nothing here waits: a cut is a request, and its end arrives like any other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ActivityError

from forerun.workflows.options import (
    CANCELLATION,
    ERRAND_TIMEOUT,
    HEARTBEAT_TIMEOUT,
    PROMOTION_RETRY,
    PROMOTION_TIMEOUT,
    CallOptions,
    Lane,
)

with workflow.unsafe.imports_passed_through():
    from forerun.activities.call_result import CallResult
    from forerun.activities.intent import STAGE, StageRequest
    from forerun.activities.metrics import cut_heard
    from forerun.activities.model_call import ModelCalls, ModelRequest, input_bytes
    from forerun.activities.operation import ToolRequest
    from forerun.activities.promotion import PromoteRequest, Promotions
    from forerun.activities.tool_call import ToolCalls
    from forerun.speculation.call import Call
    from forerun.speculation.canonical import canonical_json
    from forerun.workflows.allowance import Allowance
    from forerun.workflows.checkpoints import Checkpoints
    from forerun.workflows.errands import errand
    from forerun.workflows.run_state import now_ms
    from forerun.workflows.spec_guesses import StreamGuess


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A call ready to be made: what it is, and how to make it."""

    node: str
    call: Call
    request: ModelRequest | ToolRequest | StageRequest
    options: CallOptions
    stream: StreamGuess | None = None
    """How its output may be guessed from what has already been streamed of it."""

    @property
    def lane_ahead(self) -> Lane:
        """Where it is made on a guess."""
        return Lane.STAGING if isinstance(self.request, StageRequest) else Lane.SPECULATIVE

    @property
    def model_request(self) -> ModelRequest:
        """The request of a model's call; only model nodes have one."""
        if not isinstance(self.request, ModelRequest):
            raise TypeError(f"{self.node} calls no model")
        return self.request

    @property
    def input_bytes(self) -> int:
        """Size of what is sent, in UTF-8: no tokenizer makes more tokens of it."""
        if isinstance(self.request, ModelRequest):
            return input_bytes(self.request)
        return len(canonical_json(self.call.arguments).encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A call's activity is over: a result, or the failure of its last attempt.

    Neither, if it was cut before the server had heard of it.
    """

    id: str
    planned: Planned
    result: CallResult | None
    failure: ActivityError | None


class Dispatcher:
    """The calls in flight of one run. While they are `followed`, they may tell of themselves."""

    def __init__(self, allowance: Allowance, checkpoints: Checkpoints) -> None:
        self.followed = True
        self.allowance = allowance
        self._checkpoints = checkpoints
        self._handles: dict[str, workflow.ActivityHandle[CallResult]] = {}
        self._cut_ms: dict[str, int] = {}
        self._watchers: set[asyncio.Task[None]] = set()
        self._ended: list[Ended] = []

    @property
    def joined(self) -> bool:
        """Nothing is in flight."""
        return not self._handles

    @property
    def has_ended(self) -> bool:
        """Something has ended since `take` was last called."""
        return bool(self._ended)

    def take(self) -> list[Ended]:
        """The calls that ended since the last time, in the order of their ends."""
        ended, self._ended = self._ended, []
        return ended

    def start(self, id: str, planned: Planned, lane: Lane, summary: str) -> bool:
        """Start a call under an id that is unique in the run; False if the task has no room."""
        if not self.allowance.take(planned.input_bytes):
            return False
        handle = _start(id, self._watched(id, planned), lane, summary)
        self._handles[id] = handle
        self._spawn(self._watch(id, planned, handle))
        return True

    def cut(self, id: str) -> None:
        """Ask for the end of a call. It may still complete: only its result tells."""
        if id in self._handles:
            self._cut_ms.setdefault(id, now_ms())
            self._handles[id].cancel()

    def cut_all(self) -> None:
        """Ask for the end of everything in flight."""
        for id in self._handles:
            self.cut(id)

    def promote(self, id: str, planned: Planned) -> None:
        """Give a running or queued speculation the retries, lane and priority of certain work.

        Sent beside the critical path: the promotion itself is the workflow's claim, which needs no
        message; this only helps a call that is still queued, or that would fail.
        """
        self._spawn(_promote(id, planned))

    async def _watch(
        self, id: str, planned: Planned, handle: workflow.ActivityHandle[CallResult]
    ) -> None:
        result: CallResult | None = None
        failure: ActivityError | None = None
        try:
            result = await handle
        except ActivityError as error:
            failure = error
        except asyncio.CancelledError:
            # Cut in the very task that launched it: the SDK drops the unsent command and cancels
            # the handle itself. Nobody else cancels a watcher.
            self._cut_ms.pop(id, None)
        del self._handles[id]
        if (since := self._cut_ms.pop(id, None)) is not None:
            cut_heard(workflow.metric_meter(), (now_ms() - since) / 1000)
        self._checkpoints.ended(id)
        self._ended.append(Ended(id=id, planned=planned, result=result, failure=failure))

    def _watched(self, id: str, planned: Planned) -> Planned:
        if not self.followed or not isinstance(planned.request, ModelRequest):
            return planned
        stream = planned.stream
        field = stream.field if stream else None
        watch = self._checkpoints.grant(id, output=stream is not None, field=field)
        return replace(planned, request=replace(planned.request, watch=watch))

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = errand(coroutine)
        self._watchers.add(task)
        task.add_done_callback(self._watchers.discard)


def _start(
    id: str, planned: Planned, lane: Lane, summary: str
) -> workflow.ActivityHandle[CallResult]:
    result_type: Any = CallResult
    handle: workflow.ActivityHandle[CallResult] = workflow.start_activity(
        _activity(planned.request),
        planned.request,
        result_type=result_type,
        activity_id=id,
        task_queue=lane.value.task_queue,
        priority=lane.value.priority,
        start_to_close_timeout=timedelta(seconds=planned.options.timeout_seconds),
        heartbeat_timeout=HEARTBEAT_TIMEOUT,
        retry_policy=planned.options.retry_policy(lane),
        cancellation_type=CANCELLATION,
        summary=summary,
    )
    return handle


def _activity(request: ModelRequest | ToolRequest | StageRequest) -> Any:
    """A stage is known by its name only: nothing here may reach the code that commits effects."""
    match request:
        case ModelRequest():
            return ModelCalls.model_call
        case ToolRequest():
            return ToolCalls.tool_call
        case StageRequest():
            return STAGE


async def _promote(id: str, planned: Planned) -> None:
    retry = planned.options.retry_policy(Lane.AUTHORITATIVE)
    try:
        await workflow.execute_activity_method(
            Promotions.promote,
            PromoteRequest(
                activity_id=id,
                task_queue=Lane.AUTHORITATIVE.value.task_queue,
                priority_key=1,
                maximum_attempts=retry.maximum_attempts,
            ),
            start_to_close_timeout=ERRAND_TIMEOUT,
            schedule_to_close_timeout=PROMOTION_TIMEOUT,
            retry_policy=PROMOTION_RETRY,
            summary=f"promote {planned.node}",
        )
    except ActivityError as error:
        workflow.logger.warning("promotion.unsent", extra={"node": planned.node, "why": str(error)})

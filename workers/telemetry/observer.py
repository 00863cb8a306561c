"""The interceptor of every worker of forerun: it watches activities from outside.

The law: what an activity returns or raises passes through unchanged. What it cost is read off its
bill, what was decided off its records, and log lines written meanwhile learn where they come from.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from structlog.contextvars import bound_contextvars
from temporalio import activity
from temporalio.worker import (
    ActivityInboundInterceptor,
    ExecuteActivityInput,
    Interceptor,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
)
from typing_extensions import override

from forerun.activities import metrics
from forerun.activities.decision_request import Records
from forerun.activities.failures import bill_in
from forerun.workers.telemetry.attempt import Attempt, Request, operation_of, raised, returned
from forerun.workers.telemetry.place import place_of

if TYPE_CHECKING:  # at run time only where traces are on: it needs the extra `otel`
    from forerun.workers.telemetry.traces import Traces


class Observer(Interceptor):
    """Counts, and with `traces` also draws spans."""

    def __init__(self, traces: Traces | None = None) -> None:
        self._traces = traces

    @override
    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return ObservedActivities(next, self._traces)

    @override
    def workflow_interceptor_class(
        self, input: WorkflowInterceptorClassInput
    ) -> type[WorkflowInboundInterceptor] | None:
        return self._traces.run_interceptor() if self._traces else None


class ObservedActivities(ActivityInboundInterceptor):
    """The activities of one worker, local ones included."""

    def __init__(self, next: ActivityInboundInterceptor, traces: Traces | None) -> None:
        super().__init__(next)
        self._traces = traces

    @override
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        request, began = input.args[0] if input.args else None, time.time_ns()
        with bound_contextvars(**place_of(activity.info())):
            if isinstance(request, Request):
                return await self._call(request, input)
            result = await super().execute_activity(input)
        if isinstance(result, Records):
            metrics.recorded(activity.metric_meter(), result.records)
            if self._traces:
                self._traces.recorded(activity.info(), result.records, began)
        return result

    async def _call(self, request: Request, input: ExecuteActivityInput) -> Any:
        info, began = activity.info(), time.monotonic()
        earlier = bill_in(info.heartbeat_details)
        span = self._traces.began(info, request) if self._traces else None
        try:
            result = await super().execute_activity(input)
        except BaseException as error:
            _count(request, attempt := raised(error, time.monotonic() - began, earlier))
            if span:
                span.ended(attempt)
            raise
        _count(request, attempt := returned(result, time.monotonic() - began, earlier))
        if span:
            span.ended(attempt)
        return result


def _count(request: Request, attempt: Attempt) -> None:
    metrics.attempted(
        activity.metric_meter(),
        operation=operation_of(request),
        end=attempt.end,
        bill=attempt.bill,
        seconds=attempt.seconds,
        first_token_seconds=attempt.first_token_seconds,
    )

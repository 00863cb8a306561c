"""Traces: one per run, whoever started it and whichever workers took part.

A run's id is a UUID, which is just as long as a trace's: it *is* the trace's, and its second half
the id of the run's own span. So nothing has to be passed on through headers, which would stand in
every history, and whoever knows a run can find its trace.

The provider is ours and not the process's: else the Anthropic SDK would draw every call again, and
a backend that sums tokens would count them twice. Headers for the collector, sampling and resource
attributes come from OpenTelemetry's own `OTEL_*` variables.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any
from uuid import UUID

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import Span, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from temporalio import workflow
from temporalio.activity import Info
from temporalio.exceptions import ApplicationError, is_cancelled_exception
from temporalio.worker import ExecuteWorkflowInput, WorkflowInboundInterceptor
from typing_extensions import override

from forerun import __version__
from forerun.activities.model_call import ModelRequest
from forerun.speculation.record import Record
from forerun.workers.telemetry import semantics
from forerun.workers.telemetry.attempt import Attempt, End, Request

PATIENCE_SECONDS = 5
"""For a collector that is down: a worker that stops waits for it so long, and no longer."""

_HALF = (1 << 64) - 1
_RUN: ContextVar[UUID | None] = ContextVar("run", default=None)
"""The run whose own span is being drawn."""


class Traces:
    """Draws spans and sends them off in the background."""

    def __init__(self, exporter: SpanExporter) -> None:
        resource = Resource({"service.name": "forerun", "service.version": __version__})
        self._provider = TracerProvider(
            resource=resource.merge(OTELResourceDetector().detect()),
            id_generator=_Ids(),
            shutdown_on_exit=False,  # see `flush`: a command leaves without the interpreter's exit
        )
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("forerun", __version__)

    @classmethod
    def to(cls, endpoint: str) -> Traces:
        """To a collector that takes OTLP over HTTP at `endpoint`."""
        return cls(OTLPSpanExporter(endpoint=endpoint, timeout=PATIENCE_SECONDS))

    def began(self, info: Info, request: Request) -> CallSpan:
        """An attempt of a call begins."""
        called = SpanKind.CLIENT if isinstance(request, ModelRequest) else SpanKind.INTERNAL
        return CallSpan(
            self._tracer.start_span(
                semantics.name_of(request),
                context=self._within(info),
                kind=called,
                attributes=semantics.before(info, request),
            )
        )

    def recorded(self, info: Info, records: Iterable[Record], began_ns: int) -> None:
        """A local activity has written records: each is an event of its span."""
        events = [event for record in records if (event := semantics.event_of(record))]
        if not events:
            return
        span = self._tracer.start_span(
            info.activity_type,
            context=self._within(info),
            attributes=semantics.of_records(info),
            start_time=began_ns,
        )
        for name, attributes in events:
            span.add_event(name, attributes)
        span.end()

    def run_interceptor(self) -> type[WorkflowInboundInterceptor]:
        """What draws the span of a run, when it closes and not when it is replayed."""
        draw = self._run_closed

        class ObservedRun(WorkflowInboundInterceptor):
            @override
            async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:
                try:
                    result = await super().execute_workflow(input)
                except BaseException as error:
                    if _closes(error):
                        draw(error)
                    raise
                draw(None)
                return result

        return ObservedRun

    async def flush(self) -> None:
        """Send what has not been sent. The exporter's own patience counts, not the argument's."""
        await asyncio.to_thread(self._provider.force_flush)

    def _run_closed(self, error: BaseException | None) -> None:
        if workflow.unsafe.is_replaying_history_events():
            return
        info = workflow.info()
        token = _RUN.set(UUID(info.run_id))
        try:
            span = self._tracer.start_span(
                f"{semantics.RUN} {info.workflow_type}",
                context=Context(),
                attributes=semantics.of_run(info.workflow_id, info.workflow_type),
                start_time=int(info.start_time.timestamp() * 1e9),
            )
        finally:
            _RUN.reset(token)
        if error is not None and not isinstance(error, workflow.ContinueAsNewError):
            _failed(span, _type_of(error))
        span.end(workflow.time_ns())

    def _within(self, info: Info) -> Context:
        """The context of a run: its span is drawn by another worker, perhaps, and later."""
        if info.workflow_run_id is None:
            return Context()
        run = UUID(info.workflow_run_id)
        sampled = self._provider.sampler.should_sample(None, run.int, semantics.RUN).decision
        flags = TraceFlags.SAMPLED if sampled.is_sampled() else TraceFlags.DEFAULT
        root = SpanContext(run.int, run.int & _HALF, is_remote=True, trace_flags=TraceFlags(flags))
        return trace.set_span_in_context(trace.NonRecordingSpan(root), Context())


class CallSpan:
    """The span of an attempt that is under way."""

    def __init__(self, span: Span) -> None:
        self._span = span

    def ended(self, attempt: Attempt) -> None:
        """It is over; a cut is no failure."""
        self._span.set_attributes(semantics.after(attempt))
        if attempt.end is End.FAILED:
            self._span.set_status(Status(StatusCode.ERROR, attempt.error_type))
        self._span.end()


class _Ids(RandomIdGenerator):
    """Random ids, but for the span of a run."""

    @override
    def generate_trace_id(self) -> int:
        run = _RUN.get()
        return run.int if run else super().generate_trace_id()

    @override
    def generate_span_id(self) -> int:
        run = _RUN.get()
        return run.int & _HALF if run else super().generate_span_id()


def _closes(error: BaseException) -> bool:
    """Whether it ends the run; any other only fails a workflow task, which is tried again."""
    over = isinstance(error, workflow.ContinueAsNewError) or is_cancelled_exception(error)
    return over or workflow.is_failure_exception(error)


def _failed(span: Span, type: str) -> None:
    span.set_attribute("error.type", type)
    span.set_status(Status(StatusCode.ERROR, type))


def _type_of(error: BaseException) -> str:
    known = error.type if isinstance(error, ApplicationError) else None
    return known or type(error).__name__

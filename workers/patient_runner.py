"""Queries with patience: a workaround for two replay hazards of the SDK, temporalio 1.35.

A query that is answered while a local activity is under way closes the workflow task, with the
activity's marker in it. Its result then reaches the workflow with the *next* task, together with
that task's signals, updates and activity results; on replay it comes alone and before them. In
another order the workflow may issue other commands, and a run that left the cache could never be
replayed again. `forerun run`, the UI and every dashboard query live runs. The same goes for an
activity that core gives up without asking the server: one that is cancelled in the very task that
scheduled it, and any whose cancellation nobody waits for.

So an answer is held back while one of these is under way, a few milliseconds, and leaves with the
completion of the activation that ends the last one. Measured with `tests/lossless`: a quarter of
the runs under constant queries failed to replay without this, none with it.

A query that did not come through the worker's own queue brings the history with it, and with the
history what has come since the last workflow task. Core hands these signals and results to the
workflow at once, and not again with the task that they belong to: at the time of the task before, and
ahead of what comes until then. That happens where a worker was killed and somebody asks meanwhile:
the query meets another worker before the run does, or waits in the common queue until that worker
has the run and knows less than the server.

So such jobs are refused: the start of a task makes the history longer and the time later, and
neither has changed. The query fails with `ASK_AGAIN`, core drops the run from the cache, and the task
comes with its whole history. Where a worker was killed amid a task, the start of that task makes the
news look like those of a task of ours: then it is the query behind them that is refused, which may
be one too many. Measured with `tests/chaos`: a third of the runs whose worker was killed while
somebody asked had wrong times in their records, and some never replayed again.

Both are to be removed when core delivers in the same order live and on replay.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from temporalio.bridge.proto.workflow_commands import ActivityCancellationType
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner
from typing_extensions import override

if TYPE_CHECKING:
    from temporalio.bridge.proto.workflow_activation import WorkflowActivation
    from temporalio.workflow import Info

LEGACY_QUERY = "legacy_query"
"""Comes in an activation of its own, outside any task: it closes nothing and must be answered."""

WAIT_CANCELLATION_COMPLETED = ActivityCancellationType.WAIT_CANCELLATION_COMPLETED

ASK_AGAIN = "between two workers: ask again"
"""Why a query fails whose answer would have run ahead of the run."""

TASK_JOBS = ("initialize_workflow", "signal_workflow", "fire_timer", "cancel_workflow")
"""What only a workflow task brings; and the results of activities that are not local."""


class PatientRunner(SandboxedWorkflowRunner):
    """The sandboxed runner whose instances answer queries between local activities."""

    @override
    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        return PatientInstance(super().create_instance(det))


class PatientInstance(WorkflowInstance):
    """Passes everything through, query answers with patience."""

    def __init__(self, inner: WorkflowInstance) -> None:
        self._inner = inner
        self._under_way: set[int] = set()
        self._unsent: set[int] = set()
        self._unawaited: set[int] = set()
        self._held_back: list[Any] = []
        self._task_bytes = 0
        self._time_ns = 0
        self._replayed = False
        self._tasks = 0

    @override
    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        if self._ahead_of_its_task(act):
            return _refused(act)
        completion = self._inner.activate(act)
        for job in act.jobs:
            if job.HasField("resolve_activity"):
                self._under_way.discard(job.resolve_activity.seq)
        if not completion.HasField("successful"):
            self._held_back.clear()  # the task fails; core asks again in the next
            return completion
        commands = completion.successful.commands
        self._note(commands)
        if self._under_way:
            kept = [_copy(command) for command in commands if not _answer(command)]
            self._held_back += [_copy(command) for command in commands if _answer(command)]
            del commands[:]
            commands.extend(kept)
        else:
            commands.extend(self._held_back)
            self._held_back.clear()
        return completion

    def _ahead_of_its_task(self, act: WorkflowActivation) -> bool:
        """Whether this comes, or may have come, with a query and not with a workflow task."""
        news = any(map(self._of_task, act.jobs))
        # Told by the start of a task. Before the first of a worker something was always written.
        before, self._task_bytes = self._task_bytes, act.history_size_bytes
        time_ns, self._time_ns = self._time_ns, act.timestamp.ToNanoseconds()
        if before != self._task_bytes:
            # All that was scheduled before has been sent, and all that was given up has ended.
            self._under_way -= self._unsent | self._unawaited
            self._unsent.clear()
        elif before and time_ns == self._time_ns and news and not act.is_replaying:
            return True
        if news:
            self._replayed |= act.is_replaying
            self._tasks += not act.is_replaying
        return self._replayed and self._tasks == 1 and any(map(_legacy, act.jobs))

    def _of_task(self, job: Any) -> bool:
        if job.HasField("resolve_activity"):
            result = job.resolve_activity
            return not result.is_local and result.seq not in self._under_way
        return job.WhichOneof("variant") in TASK_JOBS

    def _note(self, commands: Iterable[Any]) -> None:
        """What these commands start that ends within this task. Both kinds are numbered as one."""
        for command in commands:
            if command.HasField("schedule_local_activity"):
                self._under_way.add(command.schedule_local_activity.seq)
            elif command.HasField("schedule_activity"):
                scheduled = command.schedule_activity
                self._unsent.add(scheduled.seq)
                if scheduled.cancellation_type != WAIT_CANCELLATION_COMPLETED:
                    self._unawaited.add(scheduled.seq)
            elif command.HasField("request_cancel_activity"):
                given_up = {command.request_cancel_activity.seq}
                self._under_way |= given_up & (self._unsent | self._unawaited)

    @override
    def get_serialization_context(self, command_info: Any) -> Any:
        return self._inner.get_serialization_context(command_info)

    @override
    def get_external_store_context(self, command_info: Any) -> Any:
        return self._inner.get_external_store_context(command_info)

    @override
    def get_info(self) -> Info:
        return self._inner.get_info()

    @override
    def get_thread_id(self) -> int | None:
        return self._inner.get_thread_id()


def _refused(act: WorkflowActivation) -> WorkflowActivationCompletion:
    completion = WorkflowActivationCompletion(run_id=act.run_id)
    completion.failed.failure.message = ASK_AGAIN
    completion.failed.failure.application_failure_info.SetInParent()
    return completion


def _legacy(job: Any) -> bool:
    return job.HasField("query_workflow") and job.query_workflow.query_id == LEGACY_QUERY


def _answer(command: Any) -> bool:
    answers = command.HasField("respond_to_query")
    return answers and command.respond_to_query.query_id != LEGACY_QUERY


def _copy(command: Any) -> Any:
    """A command of its own: removing it from its message would empty it."""
    copied = type(command)()
    copied.CopyFrom(command)
    return copied

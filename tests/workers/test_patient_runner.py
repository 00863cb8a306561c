"""What a query makes core hand over out of turn never reaches the workflow, or is thrown away."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.bridge.proto.workflow_activation import (
    QueryWorkflow,
    ResolveActivity,
    SignalWorkflow,
    WorkflowActivation,
    WorkflowActivationJob,
)
from temporalio.bridge.proto.workflow_commands import (
    ActivityCancellationType,
    QueryResult,
    RequestCancelActivity,
    ScheduleActivity,
    ScheduleLocalActivity,
    WorkflowCommand,
)
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.worker import WorkflowInstance
from typing_extensions import override

from forerun.workers.patient_runner import ASK_AGAIN, LEGACY_QUERY, PatientInstance

SIGNAL = WorkflowActivationJob(signal_workflow=SignalWorkflow(signal_name="approve"))
RESULT = WorkflowActivationJob(resolve_activity=ResolveActivity(seq=1))
LOCAL = WorkflowActivationJob(resolve_activity=ResolveActivity(seq=2, is_local=True))
QUERY = WorkflowActivationJob(query_workflow=QueryWorkflow(query_id=LEGACY_QUERY))
ANSWER = WorkflowCommand(respond_to_query=QueryResult(query_id="asked"))


class Workflow(WorkflowInstance):
    """Takes whatever comes, counts it, and answers with `commands`."""

    def __init__(self) -> None:
        self.taken = 0
        self.commands: list[WorkflowCommand] = []

    @override
    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        self.taken += 1
        completion = WorkflowActivationCompletion(run_id=act.run_id)
        completion.successful.SetInParent()
        completion.successful.commands.extend(self.commands)
        return completion

    @override
    def get_serialization_context(self, command_info: Any) -> Any:
        return None

    @override
    def get_external_store_context(self, command_info: Any) -> Any:
        raise NotImplementedError

    @override
    def get_info(self) -> Any:
        raise NotImplementedError


@pytest.mark.parametrize("news", [SIGNAL, RESULT])
@pytest.mark.parametrize("own_tasks", [0, 1, 2], ids="after {} tasks of its own".format)
def test_news_without_a_task_are_refused(own_tasks: int, news: WorkflowActivationJob) -> None:
    """Neither history nor time went on since the last task: these come with a query, and too early.

    The query met a worker without the run, or waited until that worker had it.
    """
    tasks = [(300 + own, False, SIGNAL) for own in range(own_tasks)]
    workflow, run = _run((100, True, SIGNAL), (200, True, RESULT), *tasks)

    refused = run.activate(_activation(200 if not tasks else tasks[-1][0], False, news))

    assert refused.failed.failure.message == ASK_AGAIN
    assert workflow.taken == 2 + own_tasks


def test_two_tasks_may_begin_at_one_length_of_history() -> None:
    """The first brought an update, and was written down only together with the second."""
    workflow, run = _run((100, True, SIGNAL), (200, False, SIGNAL), (300, False, RESULT))

    assert run.activate(_activation(300, False, RESULT, seconds=301)).HasField("successful")
    assert workflow.taken == 4


@pytest.mark.parametrize("seconds", [100, 101])
def test_a_local_result_needs_no_task_of_its_own(seconds: int) -> None:
    """It moves the time on, and what comes before the next task is news without a task as before."""
    workflow, run = _run((100, True, SIGNAL))

    assert run.activate(_activation(100, False, LOCAL, seconds)).HasField("successful")
    assert run.activate(_activation(100, False, SIGNAL, seconds)).HasField("failed")
    assert workflow.taken == 2


def test_a_query_right_behind_the_first_news_after_a_replay_is_refused() -> None:
    """Nobody can tell whether those came with a task: core is made to forget them."""
    workflow, run = _run((100, True, SIGNAL), (200, False, RESULT))

    assert run.activate(_activation(200, True, QUERY)).failed.failure.message == ASK_AGAIN
    assert workflow.taken == 2


@pytest.mark.parametrize(
    "before",
    [
        [(100, False, SIGNAL)],
        [(100, True, SIGNAL)],
        [(100, True, SIGNAL), (200, False, RESULT), (300, False, SIGNAL)],
    ],
    ids=["never replayed", "replayed, and nothing new", "at work again"],
)
def test_any_other_query_is_answered(before: list[tuple[int, bool, Any]]) -> None:
    """It cannot have brought anything."""
    workflow, run = _run(*before)

    assert run.activate(_activation(before[-1][0], True, QUERY)).HasField("successful")
    assert workflow.taken == len(before) + 1


def test_answers_wait_for_a_local_activity() -> None:
    """They leave with the completion in which it has ended, and not with its marker before them."""
    workflow, run = _run((100, False, SIGNAL))
    workflow.commands = [
        ANSWER,
        WorkflowCommand(schedule_local_activity=ScheduleLocalActivity(seq=2)),
    ]
    assert ANSWER not in _commands(run.activate(_activation(200, False, SIGNAL)))

    workflow.commands = []
    assert ANSWER in _commands(run.activate(_activation(200, False, LOCAL)))


@pytest.mark.parametrize("waits", list(ActivityCancellationType.values()))
@pytest.mark.parametrize("sent", [False, True], ids=["in the task that starts it", "later"])
def test_what_core_gives_up_by_itself_is_no_news(
    sent: bool, waits: ActivityCancellationType.ValueType
) -> None:
    """All but an activity that was sent and is waited for resolves in the task that cancels it."""
    schedule = WorkflowCommand(schedule_activity=ScheduleActivity(seq=1, cancellation_type=waits))
    cancel = WorkflowCommand(request_cancel_activity=RequestCancelActivity(seq=1))
    workflow, run = _run()
    workflow.commands = [schedule] if sent else [schedule, cancel]
    run.activate(_activation(100, False, SIGNAL))
    if sent:
        workflow.commands = [cancel]
        run.activate(_activation(200, False, SIGNAL))

    resolved = run.activate(_activation(200 if sent else 100, False, RESULT))

    asks_the_server = sent and waits == ActivityCancellationType.WAIT_CANCELLATION_COMPLETED
    assert resolved.HasField("failed") is asks_the_server


def _commands(completion: WorkflowActivationCompletion) -> list[WorkflowCommand]:
    return list(completion.successful.commands)


def _run(*before: tuple[int, bool, WorkflowActivationJob]) -> tuple[Workflow, PatientInstance]:
    """A workflow that has been through this: bytes of history, whether replayed, and the job."""
    workflow = Workflow()
    run = PatientInstance(workflow)
    for act in before:
        assert run.activate(_activation(*act)).HasField("successful")
    return workflow, run


def _activation(
    size: int, replaying: bool, job: WorkflowActivationJob, seconds: int | None = None
) -> WorkflowActivation:
    """At the second of the history's size, unless another one is given."""
    return WorkflowActivation(
        run_id="run",
        timestamp=Timestamp(seconds=size if seconds is None else seconds),
        history_size_bytes=size,
        is_replaying=replaying,
        jobs=[job],
    )

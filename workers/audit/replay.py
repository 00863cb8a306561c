"""Replay: the code of today, run against a history, offline, and what it says while it does.

Replay itself compares commands by kind and order only. What an activity is asked, what a local
activity is told and what the run returns may all differ from the history, and it still passes. So
the commands are kept, payload by payload, for `values` to compare.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from temporalio.client import WorkflowHistory
from temporalio.plugin import SimplePlugin
from temporalio.runtime import Runtime, TelemetryConfig
from temporalio.worker import (
    Replayer,
    UnsandboxedWorkflowRunner,
    WorkflowInstance,
    WorkflowInstanceDetails,
    WorkflowRunner,
)
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner
from typing_extensions import override

from forerun import __version__
from forerun.workers.plugin import forerun_plugin

if TYPE_CHECKING:
    from temporalio.bridge.proto.workflow_activation import WorkflowActivation
    from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
    from temporalio.workflow import Info


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay said, as the protobuf commands of the SDK, and how it failed if it did.

    A replay that failed has said what comes before its failure.
    """

    commands: tuple[Any, ...]
    failure: str | None = None
    failed_at: int = 0
    """The event that it failed at, or the last one of the workflow task that it failed in."""


async def replay(history: WorkflowHistory, workflow: type) -> Replayed:
    """Run the workflow's code against its history. No server is involved."""
    heard = _Heard()
    listening = SimplePlugin(
        "forerun-audit", workflow_runner=lambda runner: _ListeningRunner(runner, heard)
    )
    replayer = Replayer(
        workflows=[workflow],
        plugins=[forerun_plugin(), listening],
        unsandboxed_workflow_runner=_ListeningRunner(UnsandboxedWorkflowRunner(), heard),
        build_id=f"forerun-{__version__}",
        runtime=_silent_runtime(),
        # Not for debugging: a slow machine must not make a sound history fail.
        debug_mode=True,
    )
    result = await replayer.replay_workflow(history, raise_on_replay_failure=False)
    if result.replay_failure is None:
        return Replayed(tuple(heard.commands))
    why = str(result.replay_failure)
    at = re.search(r"HistoryEvent\(id: (\d+)", why)
    return Replayed(tuple(heard.commands), _in_brief(why), int(at[1]) if at else heard.events)


def _in_brief(failure: str) -> str:
    """The message and the type in what core prints of a failure."""
    message = re.search(r'message: "((?:[^"\\]|\\.)*)"', failure)
    kind = re.search(r'r#type: "(\w+)"', failure)
    said = message[1] if message else failure
    return f"{kind[1]}: {said}" if kind else said


@cache
def _silent_runtime() -> Runtime:
    """One per process: each has threads of its own. What its core would print is in the report."""
    return Runtime(telemetry=TelemetryConfig(logging=None))


class _Heard:
    """The commands so far, and how many events the workflow had seen by then."""

    def __init__(self) -> None:
        self.commands: list[Any] = []
        self.events = 0


class _ListeningRunner(WorkflowRunner):
    """Runs workflows as another runner does, and keeps their commands."""

    def __init__(self, inner: WorkflowRunner | None, heard: _Heard) -> None:
        self._inner = inner or SandboxedWorkflowRunner()
        self._heard = heard

    @override
    def prepare_workflow(self, defn: Any) -> None:
        self._inner.prepare_workflow(defn)

    @override
    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        return _ListeningInstance(self._inner.create_instance(det), self._heard)

    @override
    def set_worker_level_failure_exception_types(self, types: Any) -> None:
        self._inner.set_worker_level_failure_exception_types(types)


class _ListeningInstance(WorkflowInstance):
    def __init__(self, inner: WorkflowInstance, heard: _Heard) -> None:
        self._inner = inner
        self._heard = heard

    @override
    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        completion = self._inner.activate(act)
        self._heard.events = act.history_length
        self._heard.commands += map(_copy, completion.successful.commands)
        return completion

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


def _copy(command: Any) -> Any:
    """A command of its own: the worker encodes and sends the other one."""
    copied = type(command)()
    copied.CopyFrom(command)
    return copied

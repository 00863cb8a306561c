"""What every client, worker and replayer of forerun's runs must have in common.

One plugin for all three, so that none can differ: a history written with one converter and replayed
with another would be read as something else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from temporalio.plugin import SimplePlugin
from temporalio.worker import WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from forerun.workers.converter import reading
from forerun.workers.patient_runner import PatientRunner
from forerun.workers.telemetry.config import OFF, Telemetry


def forerun_plugin(
    activities: Sequence[Callable[..., Any]] = (), telemetry: Telemetry = OFF
) -> SimplePlugin:
    """For `Client.connect(plugins=...)`, whose workers then have it, and for `Replayer`.

    `activities` are registered with every such worker, and watched as `telemetry` says.
    """
    return SimplePlugin(
        "forerun",
        data_converter=reading,
        activities=activities,
        interceptors=[telemetry.observer],
        run_context=telemetry.around_worker,
        workflow_runner=_passing_forerun_through,
    )


def _passing_forerun_through(runner: WorkflowRunner | None) -> WorkflowRunner:
    """Let the sandbox share forerun's modules with the process instead of importing them per run.

    They hold no state, so sharing is safe; it saves some 10 ms per run, and a module that is both
    shared and imported anew would have two classes of one name. Other modules stay sandboxed.
    """
    runner = runner or SandboxedWorkflowRunner()
    if not isinstance(runner, SandboxedWorkflowRunner):
        return runner
    return PatientRunner(restrictions=runner.restrictions.with_passthrough_modules("forerun"))

"""A run that takes no more signals: the server counts 10,000, and refuses every one after them."""

from __future__ import annotations

from temporalio.service import RPCError

from forerun.workers.cli.process import CommandError


def refused_signal(id: str, error: RPCError) -> CommandError | RPCError:
    """The refusal with the way out, where the run has had all the signals that it will take."""
    if "limit for signal" not in error.message:
        return error
    return CommandError(
        f"run {id!r} takes no more signals, whatever they say ({error.message}). Cancel it, or start "
        f"it over without them: temporal workflow reset --workflow-id {id} --type FirstWorkflowTask "
        "--reapply-exclude Signal --reason junk. What is committed is not committed twice; calls "
        "are made and paid again, and approvals have to be given again"
    )

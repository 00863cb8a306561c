"""`AgentDag`: a DAG of model calls, tools and effects, run ahead of itself where that pays.

A spec is parsed by our own code: an argument that does not parse in the SDK would retry the workflow
task for ever. So a bad spec fails the run with one line.
"""

from __future__ import annotations

from typing import Any

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from forerun.workflows.speculation import Speculation


@workflow.defn(name="AgentDag")
class AgentDag:
    """One run of one spec."""

    # Its dials are those of the spec before an update turns them that came with the start.
    @workflow.init
    def __init__(self, *inputs: Any) -> None:
        self._ahead = Speculation()
        self._refused: ApplicationError | None = None
        try:
            self._ahead.add_spec(inputs[0] if len(inputs) == 1 else list(inputs))
        except ApplicationError as refused:
            self._refused = refused  # a run that is never made could not be asked why

    # Known before the first task: else the SDK keeps early signals by name, and their order is lost.
    @workflow.signal(name="approve")
    def _approve(self, *payloads: Any) -> None:
        self._ahead.answered("approve", payloads)

    @workflow.signal(name="reject")
    def _reject(self, *payloads: Any) -> None:
        self._ahead.answered("reject", payloads)

    @workflow.run
    async def run(self, *inputs: Any) -> dict[str, Any]:
        """Run the spec, which is the one input, to its end; fails if one of its nodes does."""
        if self._refused is not None:
            raise self._refused
        async with self._ahead:
            pass
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self._ahead.result()

"""`AgentDag`: a DAG of model calls, tools and effects, run ahead of itself where that pays.

A spec is parsed by our own code: an argument that does not parse in the SDK would retry the workflow
task for ever. So a bad spec fails the run with one line.
"""

from __future__ import annotations

from typing import Any

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from forerun.workflows.speculation import Speculation


@workflow.defn(name="AgentDag")
class AgentDag:
    """One run of one spec."""

    def __init__(self) -> None:
        self._ahead = Speculation()

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
        self._ahead.add_spec(inputs[0] if len(inputs) == 1 else list(inputs))
        async with self._ahead:
            pass
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self._ahead.result()

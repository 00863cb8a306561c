"""A workflow that compares two texts."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from forerun.activities.comparison import Compared, CompareRequest
    from forerun.activities.equivalence import EquivalenceChecks


@workflow.defn(name="CompareFlow")
class CompareFlow:
    """Asks once."""

    @workflow.run
    async def run(self, request: CompareRequest) -> Compared:
        compared = await workflow.execute_activity_method(
            EquivalenceChecks.compare,
            request,
            start_to_close_timeout=timedelta(seconds=30),
            heartbeat_timeout=timedelta(seconds=10),
        )
        assert isinstance(compared, Compared)
        return compared

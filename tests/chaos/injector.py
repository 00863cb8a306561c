"""Injects what was drawn for a run, each fault at its moment, and counts what was injected."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from uuid import uuid4

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.service import RPCError, RPCStatusCode

from forerun.activities.checkpoints import CHECKPOINT
from tests.chaos.checks import CHAOS
from tests.chaos.faults import Deed, Fault
from tests.chaos.house import House
from tests.chaos.patience import patiently
from tests.chaos.people import MALFORMED, People
from tests.chaos.watching import Watched


class Injector:
    """The faults of one run. `busy` while one is being injected: then the run is not over yet."""

    def __init__(
        self, house: House, watched: Watched, people: People, hit: Callable[[Deed], None]
    ) -> None:
        self.injected = Counter[Deed]()
        self.busy = 0
        self._house = house
        self._watched = watched
        self._people = people
        self._hit = hit

    async def inject(self, faults: Iterable[Fault]) -> None:
        """All of them, each once its moment has come; cancelled when the run is over."""
        async with asyncio.TaskGroup() as group:
            for fault in faults:
                group.create_task(self._at_its_moment(fault))

    async def _at_its_moment(self, fault: Fault) -> None:
        await self._watched.reaches(fault.moments, fault.nth)
        self.busy += 1
        try:
            done = await asyncio.shield(self._do(fault))
        finally:
            self.busy -= 1
        if done:
            self.injected[fault.deed] += 1
            self._hit(fault.deed)

    async def _do(self, fault: Fault) -> bool:
        """Whether there was something to do it to."""
        try:
            return await self._done(fault)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return False  # the run is over
            raise

    async def _done(self, fault: Fault) -> bool:
        role = fault.deed.victim
        if role is not None:
            return self._house.kill_worker(role)
        match fault.deed:
            case Deed.KILL_SERVER:
                return self._house.kill_server()
            case Deed.RESET:
                return await self._reset(fault.draw)
            case Deed.CANCEL:
                await patiently(self._watched.handle.cancel)
            case Deed.TERMINATE:
                await patiently(lambda: self._watched.handle.terminate(reason=CHAOS))
            case Deed.STOP:
                await self._people.turn({"budget_usd": "0"})
            case Deed.FOREIGN:
                await self._people.say("approve", {"node": "e77", "by": "eve"})
                await self._people.say("reject", {"node": "n0", "by": "eve"})
            case Deed.MALFORMED:
                said = MALFORMED[int(fault.draw * len(MALFORMED))]
                await self._people.say("approve" if fault.draw < 0.5 else "reject", *said)
            case _:
                await self._forge(fault.draw)
        return True

    async def _reset(self, draw: float) -> bool:
        """Start over behind a workflow task of the past."""
        run_id, events = self._watched.run_ids[-1], self._watched.events
        done = [e for e in events if e.HasField("workflow_task_completed_event_attributes")]
        if not done or self._watched.closed:
            return False
        request = ResetWorkflowExecutionRequest(
            namespace="default",
            workflow_execution=WorkflowExecution(workflow_id=self._watched.id, run_id=run_id),
            reason=CHAOS,
            workflow_task_finish_event_id=done[int(draw * len(done))].event_id,
            request_id=str(uuid4()),
        )
        service = self._house.client.workflow_service
        answer = await patiently(lambda: service.reset_workflow_execution(request))
        self._watched.moved(answer.run_id)
        return True

    async def _forge(self, draw: float) -> None:
        """A checkpoint that no call has sent, for one that there may well be."""
        told = {"call": f"n{int(draw * 6)}", "attempt": 1, "sequence": 99}
        await self._people.say(CHECKPOINT, told | {"value": "forged", "delivered_tokens": 3})

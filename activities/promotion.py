"""Promotion, as far as the server is concerned.

A claimed speculation gets what certain work has: its retries, and, if it is still queued, its lane
and priority. UpdateActivityOptions does both on queued and on running activities, writes no history
event, and answers NOT_FOUND once the activity is over: a benign race, the promotion stands.
"""

from __future__ import annotations

from dataclasses import dataclass

from google.protobuf.field_mask_pb2 import FieldMask
from temporalio import activity
from temporalio.api.activity.v1 import ActivityOptions
from temporalio.api.common.v1 import Priority, RetryPolicy, WorkflowExecution
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import UpdateActivityOptionsRequest
from temporalio.service import RPCError, RPCStatusCode

CHANGED = ["retry_policy.maximum_attempts", "task_queue.name", "priority.priority_key"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PromoteRequest:
    """The activity of this run to promote, and what it gets."""

    activity_id: str
    task_queue: str
    priority_key: int
    maximum_attempts: int


class Promotions:
    """Needs nothing but the client of its worker."""

    @activity.defn(name="promote")
    async def promote(self, request: PromoteRequest) -> bool:
        """Change the options of one pending activity; False if it was over already."""
        info = activity.info()
        try:
            await activity.client().workflow_service.update_activity_options(
                UpdateActivityOptionsRequest(
                    namespace=info.namespace,
                    execution=WorkflowExecution(
                        workflow_id=info.workflow_id or "", run_id=info.workflow_run_id or ""
                    ),
                    id=request.activity_id,
                    activity_options=ActivityOptions(
                        task_queue=TaskQueue(name=request.task_queue),
                        priority=Priority(priority_key=request.priority_key),
                        retry_policy=RetryPolicy(maximum_attempts=request.maximum_attempts),
                    ),
                    update_mask=FieldMask(paths=CHANGED),
                )
            )
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return False
            raise
        return True

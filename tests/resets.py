"""Starting a run over from an event of its past, as `temporal workflow reset` does."""

from __future__ import annotations

from uuid import uuid4

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import Client


async def reset(client: Client, id: str, run_id: str | None, event_id: int) -> str:
    """Go on after a workflow task of a run, which the server terminates; the id of the new run."""
    answer = await client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=id, run_id=run_id or ""),
            reason="test",
            workflow_task_finish_event_id=event_id,
            request_id=str(uuid4()),
        )
    )
    return answer.run_id

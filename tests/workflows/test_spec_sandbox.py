"""The spec's modules import and run inside Temporal's workflow sandbox."""

from __future__ import annotations

import base64
import json
from typing import Any

from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from tests.workflows.spec_in_sandbox import SpecInSandbox

SPEC: dict[str, Any] = {
    "version": 1,
    "input": {"email": "it crashes"},
    "nodes": {
        "classify": {
            "model": "openai:sim-mid",
            "prompt": "{{ input.email }}",
            "schema": {
                "type": "object",
                "properties": {"label": {"type": "string", "pattern": "^[a-z]+$"}},
                "required": ["label"],
                "additionalProperties": False,
            },
            "guess": [{"from": "value", "value": {"label": "bug"}, "p": "0.6"}],
        },
        "draft": {
            "model": "anthropic:sim-mid",
            "prompt": "{% for k, v in classify | items %}{{ k }}={{ v | upper }} {% endfor %}",
            "when": "{{ classify.label == 'bug' }}",
        },
    },
}
EXPECTED: dict[str, Any] = {
    "runs": True,
    "prompt": "label=BUG ",
    "refusals": [
        "version: 2 is not allowed here; fix: write 1",
        "nodes.a.model: 'x:y' names no known provider and model; "
        "fix: write openai:NAME or anthropic:NAME",
    ],
}


def history(*inputs: Any) -> WorkflowHistory:
    """The history of a run that completed in its first workflow task."""
    kinds = {
        "WorkflowExecutionStarted": {
            "workflowType": {"name": "SpecInSandbox"},
            "taskQueue": {"name": "q"},
            "originalExecutionRunId": "run",
            "input": {"payloads": [_payload(value) for value in inputs]},
        },
        "WorkflowTaskScheduled": {},
        "WorkflowTaskStarted": {"scheduledEventId": "2"},
        "WorkflowTaskCompleted": {"scheduledEventId": "2", "startedEventId": "3"},
        "WorkflowExecutionCompleted": {"workflowTaskCompletedEventId": "4"},
    }
    events = [
        {
            "eventId": str(number),
            "eventTime": "2026-11-21T00:00:00Z",
            "eventType": kind,
            f"{kind[0].lower()}{kind[1:]}EventAttributes": attributes,
        }
        for number, (kind, attributes) in enumerate(kinds.items(), start=1)
    ]
    return WorkflowHistory.from_json("spec-in-sandbox", {"events": events})


async def test_a_spec_is_parsed_checked_and_rendered_inside_the_sandbox() -> None:
    """A replay passes: nothing that the modules do is restricted in there."""
    replayer = Replayer(
        workflows=[SpecInSandbox],
        workflow_runner=SandboxedWorkflowRunner(),
        data_converter=pydantic_data_converter,
    )

    result = await replayer.replay_workflow(history(SPEC, EXPECTED), raise_on_replay_failure=False)

    assert result.replay_failure is None


async def test_the_sandbox_test_can_fail() -> None:
    """A replay that comes to other findings does not pass."""
    replayer = Replayer(workflows=[SpecInSandbox], data_converter=pydantic_data_converter)

    result = await replayer.replay_workflow(
        history(SPEC, {**EXPECTED, "runs": False}), raise_on_replay_failure=False
    )

    assert result.replay_failure is not None


def _payload(value: Any) -> dict[str, Any]:
    encoding, data = b"json/plain", json.dumps(value).encode()
    return {
        "metadata": {"encoding": base64.b64encode(encoding).decode()},
        "data": base64.b64encode(data).decode(),
    }

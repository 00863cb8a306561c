"""What must hold of a pair of runs, and of every run by itself (design 6).

What a history says of itself is the audit's business; what is here is between two runs, or between
a run and the world around it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, cast

from temporalio.api.enums.v1 import WorkflowTaskFailedCause

from forerun.activities.call_result import Cut
from forerun.activities.model_call import ModelRequest
from forerun.workers.audit.auditor import audit
from forerun.workers.audit.launched import makers
from forerun.workers.audit.reading import read_run
from forerun.workflows.spec import parse_graph
from tests.harness import Story
from tests.lossless.case import Case
from tests.lossless.fan_checks import concurrency_problems
from tests.lossless.guess_checks import tier_problems

HARMLESS = (
    # A run may not close on a task that does not know the latest events: the server asks again.
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND,
    # Where a reset starts over, and where the run that it ends, or a termination, was in a task.
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW,
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_FORCE_CLOSE_COMMAND,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run that is over: what it returned, its history, and what the world saw of it."""

    id: str
    result: dict[str, Any]
    story: Story
    rows: list[dict[str, Any]]
    requests: list[dict[str, Any]]


def differences(ahead: Run, control: Run) -> Iterator[str]:
    """Where two runs of one case, with speculation and without, do not come to the same."""
    for key in ("outputs", "skipped", "approximations"):
        yield from differing(key, ahead.result[key], control.result[key])
    yield from differing("failed", *(sorted(run.result["failed"]) for run in (ahead, control)))
    states = [
        {intent: effect["state"] for intent, effect in run.result["effects"].items()}
        for run in (ahead, control)
    ]
    yield from differing("effects", *states)
    rows = [{row["intent"]: row["arguments"] for row in run.rows} for run in (ahead, control)]
    yield from differing("outbox", *rows)
    # Each output comes from the same call, the one on the actual arguments: equal outputs might
    # hide a promoted call that was asked something else.
    yield from differing("calls", _asked(ahead.story), _asked(control.story))


async def violations(run: Run, case: Case) -> list[str]:
    """What is wrong with one run, whatever the other did."""
    report = await audit(run.story.history)
    return [
        *map(str, report.violations),
        *task_failures(run.story),
        *_request_problems(run),
        *_effect_problems(run, case),
        *tier_problems(run.story, run.result, *parse_graph(case.spec)),
        *concurrency_problems(run.story),
    ]


def _asked(story: Story) -> dict[str, Any]:
    """By node, what the call that made its output was asked; not what only serves its run."""
    asked = {node: calls[0].asked for node, calls in makers(read_run(story.history)[0]).items()}
    return {
        node: replace(request, expected_output_tokens=0, watch=None)
        if isinstance(request, ModelRequest)
        else request
        for node, request in asked.items()
    }


def task_failures(story: Story) -> Iterator[str]:
    """Workflow tasks that failed: a bug, even where the next attempt went well."""
    for event in story.history.events:
        if event.HasField("workflow_task_failed_event_attributes"):
            failed = event.workflow_task_failed_event_attributes
            if failed.cause not in HARMLESS:
                cause = WorkflowTaskFailedCause.Name(failed.cause)
                yield f"workflow task failed at {event.event_id}: {cause} {failed.failure.message}"


def _request_problems(run: Run) -> Iterator[str]:
    """The models were asked as often as the history says; what was cut may not have got there."""
    asked = Counter(request["user"] for request in run.requests)
    most, least = Counter[str](), Counter[str]()
    for call in read_run(run.story.history)[0].calls:
        if isinstance(call.asked, ModelRequest) and call.end:
            attempts = call.end.bill.attempts if call.end.bill else 0
            most[call.asked.prompt] += attempts
            least[call.asked.prompt] += attempts - isinstance(call.end.result, Cut)
    for prompt in asked | most:
        if not least[prompt] <= asked[prompt] <= most[prompt]:
            yield f"{asked[prompt]} requests for {most[prompt]} attempts: {prompt!r}"


def _effect_problems(run: Run, case: Case) -> Iterator[str]:
    """Effects end as people meant them to, and the world saw one row per commit."""
    effects = run.result["effects"]
    for intent, effect in effects.items():
        if effect["state"] != case.manners[intent].leads_to:
            yield f"{intent} is {effect['state']} although people were {case.manners[intent]}"
    committed = sorted(name for name, effect in effects.items() if effect["state"] == "committed")
    if sorted(row["intent"] for row in run.rows) != committed:
        yield f"rows of {[row['intent'] for row in run.rows]}, but committed are {committed}"


def differing(what: str, one: Any, other: Any) -> Iterator[str]:
    """Where two values that should be the same are not, key by key; `other` is what it should be."""
    if one == other:
        return
    if not isinstance(one, dict) or not isinstance(other, dict):
        yield f"{what} differ: {one!r}, control {other!r}"
        return
    ahead, control = cast("dict[str, Any]", one), cast("dict[str, Any]", other)
    for key in dict.fromkeys([*ahead, *control]):
        mine, theirs = ahead.get(key, "-"), control.get(key, "-")
        if mine != theirs:
            yield f"{what} differ in {key}: {mine!r}, control {theirs!r}"

"""What every node asked, and what it got: the part of a report that is not about dollars."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from forerun.activities.model_call import ModelRequest
from forerun.activities.operation import ToolRequest
from forerun.workers.audit.launched import makers, outputs
from forerun.workers.audit.run import Call, Run
from forerun.workers.report.effects import pretty
from forerun.workers.report.told import told


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A node that has an output, or failed to have one. `asked` is None for a list of items."""

    node: str
    operation: str | None
    asked: str | None
    output: str | None
    error: str | None


def answers(run: Run) -> list[Answer]:
    """In the order in which the nodes ended; what failed comes last."""
    made, gathered = makers(run), outputs(run)
    found = [_answer(node, gathered[node], made.get(node, [])) for node in gathered]
    failed = told(run).failed
    calls = {call.node: call for call in run.calls if call.certain}
    return found + [_failure(node, why, calls.get(node)) for node, why in failed.items()]


def _answer(node: str, output: Any, calls: list[Call]) -> Answer:
    operation, asked = _asked(calls[0] if calls else None)
    return Answer(node=node, operation=operation, asked=asked, output=pretty(output), error=None)


def _failure(node: str, why: str, call: Call | None) -> Answer:
    operation, asked = _asked(call)
    return Answer(node=node, operation=operation, asked=asked, output=None, error=why)


def _asked(call: Call | None) -> tuple[str | None, str | None]:
    match call.asked if call else None:
        case ModelRequest() as request:
            system = f"{request.system}\n\n" if request.system else ""
            return f"{request.provider}:{request.model}", pretty(system + request.prompt)
        case ToolRequest() as request:
            return request.operation, pretty(request.arguments)
        case _:
            return None, None

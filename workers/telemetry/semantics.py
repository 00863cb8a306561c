"""What spans say, in the words of OpenTelemetry's conventions for generative AI.

They have none for money: `operation.cost` is what others use, in dollars, and must be a float. Our
own attributes begin with `forerun.` and hold dollars as decimal strings, as everywhere. Never in a
span: a prompt, an answer, an argument, or what a guess says.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from temporalio.activity import Info

from forerun.activities.call_result import Bill
from forerun.activities.model_call import ModelRequest
from forerun.speculation.pricing import input_usd, output_usd
from forerun.speculation.quantities import text
from forerun.speculation.record import Record, calls_of
from forerun.workers.telemetry.attempt import Attempt, Request, operation_of
from forerun.workers.telemetry.place import is_ahead, node_of

Value = str | bool | int | float | tuple[str, ...]
Attributes = dict[str, Value]

CHAT = "chat"
TOOL = "execute_tool"
RUN = "invoke_agent"


def name_of(request: Request) -> str:
    """The name of the span of a call."""
    if isinstance(request, ModelRequest):
        return f"{CHAT} {request.model}"
    return f"{TOOL} {operation_of(request)}"


def before(info: Info, request: Request) -> Attributes:
    """What is known of a call when it begins."""
    return _place(info) | {
        **(_chat(request) if isinstance(request, ModelRequest) else _tool(request)),
        "forerun.speculative": is_ahead(info.activity_id),
        "forerun.attempt": info.attempt,
        "forerun.task_queue": info.task_queue,
    }


def after(attempt: Attempt) -> Attributes:
    """What is known of it when it is over."""
    return _known(
        {
            "forerun.outcome": attempt.end.value,
            "error.type": attempt.error_type,
            "gen_ai.response.time_to_first_chunk": attempt.first_token_seconds,
            "gen_ai.response.finish_reasons": attempt.finish_reason and (attempt.finish_reason,),
        }
    ) | (_billed(attempt.bill) if attempt.bill else {})


def of_run(workflow_id: str, workflow_type: str) -> Attributes:
    """What a run's own span says."""
    return {
        "gen_ai.operation.name": RUN,
        "gen_ai.agent.name": workflow_type,
        "gen_ai.conversation.id": workflow_id,
    }


def of_records(info: Info) -> Attributes:
    """What the span of a batch of records says."""
    return _place(info)


def event_of(record: Record) -> tuple[str, Attributes] | None:
    """A record as an event of its span: name and attributes; None for the opening of a run."""
    match record["kind"]:
        case "decision":
            known = {name: record[name] for name in ("verdict", "bet", "reason", "p", "alpha")}
            known |= {name: record[name] for name in ("ev_usd", "threshold_usd", "seconds_saved")}
            known["nodes"] = tuple(stake["node"] for stake in calls_of(record))
        case "outcome":
            known = {name: record[name] for name in ("speculation", "outcome", "bet", "wasted_usd")}
        case "guess":
            known = {name: record[name] for name in ("guess", "source", "p", "launched", "right")}
        case _:
            return None
    return record["kind"], _known({f"forerun.{name}": value for name, value in known.items()})


def _place(info: Info) -> Attributes:
    return _known(
        {
            "gen_ai.conversation.id": info.workflow_id,
            "forerun.run_id": info.workflow_run_id,
            "forerun.node": node_of(info.activity_id),
            "forerun.activity_id": info.activity_id,
        }
    )


def _chat(request: ModelRequest) -> Attributes:
    return _known(
        {
            "gen_ai.operation.name": CHAT,
            "gen_ai.provider.name": request.provider,
            "gen_ai.request.model": request.model,
            "gen_ai.request.max_tokens": request.max_output_tokens,
            "gen_ai.request.temperature": request.temperature,
            "gen_ai.request.stream": True,
        }
    )


def _tool(request: Request) -> Attributes:
    return {"gen_ai.operation.name": TOOL, "gen_ai.tool.name": operation_of(request)}


def _billed(bill: Bill) -> Attributes:
    usage, cost = bill.usage, bill.cost
    tokens = {
        "gen_ai.usage.input_tokens": usage.input_tokens,
        "gen_ai.usage.output_tokens": usage.output_tokens,
        "gen_ai.usage.cache_read.input_tokens": usage.cache_read_tokens,
        "gen_ai.usage.cache_creation.input_tokens": usage.cache_write_tokens,
    }
    return {
        **(tokens if bill.rates else {}),
        **_known(
            {
                "operation.cost": None if cost.best_usd is None else float(cost.best_usd),
                "forerun.cost.low_usd": _usd(cost.low_usd),
                "forerun.cost.best_usd": _usd(cost.best_usd),
                "forerun.cost.high_usd": _usd(cost.high_usd),
                "forerun.cost.input_usd": _usd(bill.rates and input_usd(bill.rates, usage)),
                "forerun.cost.output_usd": _usd(
                    bill.rates and output_usd(bill.rates, usage.output_tokens)
                ),
                "forerun.cost.basis": cost.basis.value,
            }
        ),
    }


def _usd(amount: Decimal | None) -> str | None:
    return None if amount is None else text(amount)


def _known(values: Mapping[str, Value | None]) -> Attributes:
    """What is unknown is left out: it is neither 0 nor empty."""
    return {name: value for name, value in values.items() if value is not None}

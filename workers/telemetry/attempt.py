"""One attempt of a call, once it is over: what metrics and spans say about it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from temporalio.exceptions import ApplicationError

from forerun.activities.call_result import Bill, Completed, Cut
from forerun.activities.comparison import Compared, CompareRequest
from forerun.activities.failures import bill_in
from forerun.activities.intent import CommitReceipt, CommitRequest, StageRequest
from forerun.activities.model_call import ModelRequest
from forerun.activities.operation import ToolRequest
from forerun.speculation.billing import Cost
from forerun.speculation.pricing import Usage

Request = ModelRequest | ToolRequest | StageRequest | CommitRequest | CompareRequest
"""What activities that cost money are asked."""

Billed = Completed | Cut | CommitReceipt | Compared
"""What they answer."""

COMPARE = "compare"
"""The operation of a comparison: which models it asks is its own business."""


class End(StrEnum):
    """How an attempt ended. `interrupted`: its worker stopped, and another will try again."""

    COMPLETED = "completed"
    CUT = "cut"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """`bill` is its own, without that of the attempts before; None where it could not tell."""

    end: End
    bill: Bill | None
    seconds: float
    first_token_seconds: float | None = None
    finish_reason: str | None = None
    error_type: str | None = None


def operation_of(request: Request) -> str:
    """The operation, as records name it."""
    match request:
        case ModelRequest(provider=provider, model=model):
            return f"{provider}:{model}"
        case CompareRequest():
            return COMPARE
        case ToolRequest() | StageRequest() | CommitRequest():
            return request.operation


def returned(result: Billed, seconds: float, earlier: Bill | None) -> Attempt:
    """The attempt that ended with `result`; `earlier` is the bill of those before."""
    call = result if isinstance(result, Completed | Cut) else None
    return Attempt(
        end=End(call.kind) if call else End.COMPLETED,
        bill=_own(result.bill, earlier),
        seconds=seconds,
        first_token_seconds=call.first_token_seconds if call else None,
        finish_reason=call.finish_reason if isinstance(call, Completed) else None,
    )


def raised(error: BaseException, seconds: float, earlier: Bill | None) -> Attempt:
    """The attempt that ended with `error`."""
    if not isinstance(error, ApplicationError):
        ended = End.FAILED if isinstance(error, Exception) else End.INTERRUPTED
        return Attempt(end=ended, bill=None, seconds=seconds, error_type=type(error).__name__)
    bill = bill_in(error.details)
    return Attempt(
        end=End.FAILED,
        bill=_own(bill, earlier) if bill else None,
        seconds=seconds,
        error_type=error.type,
    )


def _own(bill: Bill, earlier: Bill | None) -> Bill:
    """A bill covers all attempts; this is what the last of them has added."""
    if earlier is None:
        return bill
    now, before = bill.usage, earlier.usage
    usage = Usage(
        input_tokens=now.input_tokens - before.input_tokens,
        output_tokens=now.output_tokens - before.output_tokens,
        cache_read_tokens=now.cache_read_tokens - before.cache_read_tokens,
        cache_write_tokens=now.cache_write_tokens - before.cache_write_tokens,
    )
    return replace(bill, usage=usage, cost=_less(bill.cost, earlier.cost), attempts=1)


def _less(cost: Cost, earlier: Cost) -> Cost:
    return Cost(
        low_usd=_difference(cost.low_usd, earlier.low_usd),
        best_usd=_difference(cost.best_usd, earlier.best_usd),
        high_usd=_difference(cost.high_usd, earlier.high_usd),
        basis=cost.basis,
    )


def _difference(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return None if one is None or other is None else one - other

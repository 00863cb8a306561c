"""Every bill again: its tokens at its own rates, or what the operation declared (design 4.3, 4.4)."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from forerun.activities.call_result import Bill
from forerun.activities.comparison import CompareRequest
from forerun.activities.intent import CommitRequest, StageRequest
from forerun.activities.model_call import ModelRequest
from forerun.activities.operation import ToolRequest
from forerun.speculation.billing import Basis
from forerun.speculation.pricing import Rates, call_usd, input_usd, output_usd
from forerun.workers.audit.run import Call, End, Run
from forerun.workers.audit.violation import Violation, unless_equal, violation


def check(run: Run) -> Iterator[Violation]:
    """The bill of every call that ended with one."""
    operations = run.cards
    for call in run.calls:
        end = call.end
        if end is None or end.bill is None:
            continue
        yield from _ordered(call, end, end.bill)
        match call.asked:
            case ModelRequest(max_output_tokens=most):
                yield from _metered(call, end, end.bill, most)
            case ToolRequest() | StageRequest() | CommitRequest() as request:
                name = request.operation
                if name in operations:
                    yield from _declared(call, end, end.bill, operations[name].usd)
            case CompareRequest() | None:
                pass


def _ordered(call: Call, end: End, bill: Bill) -> Iterator[Violation]:
    """Low, best and high in this order; equal where the bill is exact, unknown only together."""
    cost = bill.cost
    amounts = [cost.low_usd, cost.best_usd, cost.high_usd]
    known = [amount for amount in amounts if amount is not None]
    unpriced = cost.basis is Basis.UNPRICED
    if len(known) != (0 if unpriced else len(amounts)):
        expected = "no dollars" if unpriced else "known dollars"
        yield violation(end.event_id, call.node, "bill", f"{cost.basis}: {expected}", amounts)
    elif known != sorted(known):
        yield violation(end.event_id, call.node, "bill", "low <= best <= high", amounts)
    elif cost.basis is Basis.EXACT and known[0] != known[-1]:
        yield violation(end.event_id, call.node, "bill", "one exact amount", amounts)


def _metered(call: Call, end: End, bill: Bill, most: int) -> Iterator[Violation]:
    """What one attempt of a model call cost. Several may have had rates of their own."""
    best, rates = bill.cost.best_usd, bill.rates
    if best is None or rates is None or bill.attempts != 1:
        return
    if bill.cost.basis is Basis.EXACT:
        expected = call_usd(rates, bill.usage)
        yield from unless_equal(end.event_id, call.node, "best_usd", expected, best)
        return
    least, highest = _bounds(rates, bill, most)
    if not least <= best <= highest:
        expected = f"from {least} to {highest}"
        yield violation(end.event_id, call.node, "best_usd", expected, best)


def _bounds(rates: Rates, bill: Bill, most: int) -> tuple[Decimal, Decimal]:
    """Input in full, and output from what was delivered to all that it might have been."""
    paid, delivered = input_usd(rates, bill.usage), bill.usage.output_tokens
    least = paid + output_usd(rates, min(delivered, most))
    return least, paid + output_usd(rates, max(delivered, most))


def _declared(call: Call, end: End, bill: Bill, usd: Decimal) -> Iterator[Violation]:
    """Every attempt of an operation costs what it was registered with."""
    expected = usd * bill.attempts
    yield from unless_equal(end.event_id, call.node, "best_usd", expected, bill.cost.best_usd)

"""What an ended call cost by its own end, and whether a record says the same, to the last digit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from forerun.activities.call_result import Completed, Cut
from forerun.speculation.record import Bought, Outcome
from forerun.workers.audit.run import Call
from forerun.workers.audit.violation import Violation, unless_equal
from forerun.workflows.bills import NOTHING, UNKNOWN, EndedBill

FAILED = ("failed", "timed_out")
"""Ends of a call that ran, and has no result."""


def ended_bill(call: Call) -> EndedBill:
    """By what it returned or failed with; nothing if it never ran."""
    end = call.end
    match end.result if end else None:
        case Completed() as completed:
            return EndedBill(bill=completed.bill, seconds=completed.seconds)
        case Cut() as cut:
            return EndedBill(
                bill=cut.bill,
                seconds=cut.seconds,
                delivered_tokens=cut.delivered_tokens,
                expected_tokens=cut.expected_tokens,
            )
        case _ if end is not None and end.how in FAILED:
            return EndedBill(bill=end.bill or UNKNOWN)
        case _:
            return EndedBill(bill=NOTHING)


def unlike_bill(event_id: int, record: Outcome | Bought, ended: EndedBill) -> Iterator[Violation]:
    """Where the record of an ended call differs from its bill."""
    cost = ended.cost
    expected: dict[str, Any] = {
        "usage": ended.bill.usage,
        "delivered_tokens": ended.delivered_tokens,
        "expected_tokens": ended.expected_tokens,
        "seconds": ended.seconds_recorded,
        "low_usd": cost.low_usd,
        "best_usd": cost.best_usd,
        "high_usd": cost.high_usd,
        "basis": cost.basis,
    }
    for check, value in expected.items():
        yield from unless_equal(event_id, record.node, check, value, getattr(record, check))

"""What an ended call cost, however it ended.

A result carries its bill. A failure carries the bill of all its attempts in its details, or, where
the worker died, in the last heartbeat. A call that was cancelled before any worker took it has none.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from temporalio import workflow
from temporalio.exceptions import ActivityError, CancelledError

with workflow.unsafe.imports_passed_through():
    from forerun.activities.call_result import Bill, Completed, Cut
    from forerun.activities.failures import bill_of_failure
    from forerun.speculation.billing import UNPRICED, Cost
    from forerun.speculation.quantities import number
    from forerun.workflows.dispatch import Ended

NOTHING = Bill(attempts=0)
UNKNOWN = Bill(cost=UNPRICED, attempts=0)
"""The worker died before it could tell: its dollars are unknown, and that is not 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedBill:
    """The bill of an ended call. `never_ran`: it was cancelled in the queue."""

    bill: Bill
    seconds: float | None = None
    delivered_tokens: int = 0
    expected_tokens: int = 0
    never_ran: bool = False

    @property
    def seconds_recorded(self) -> Decimal | None:
        """Its seconds as records hold them, to the millisecond."""
        return None if self.seconds is None else number(round(self.seconds, 3))

    @property
    def cost(self) -> Cost:
        """Its dollars."""
        return self.bill.cost


def bill_of(ended: Ended) -> EndedBill:
    """The bill of a result or a failure."""
    match ended.result:
        case Completed() as completed:
            return EndedBill(bill=completed.bill, seconds=completed.seconds)
        case Cut() as cut:
            return EndedBill(
                bill=cut.bill,
                seconds=cut.seconds,
                delivered_tokens=cut.delivered_tokens,
                expected_tokens=cut.expected_tokens,
            )
        case None:
            return bill_of_failed(ended.failure)


def bill_of_failed(failure: ActivityError | None) -> EndedBill:
    """The bill of an activity that failed; None for one that never reached the server."""
    if failure is None or isinstance(failure.cause, CancelledError):
        return EndedBill(bill=NOTHING, never_ran=True)
    return EndedBill(bill=bill_of_failure(failure) or UNKNOWN)

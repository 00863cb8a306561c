"""One call of a registered tool: arguments checked, output canonical, every attempt billed.

The activity never hears whether the call is speculative: a cut is a cancel request like any other.
Only such a request makes it return `Cut`; a worker that shuts down lets the cancellation through,
so that Temporal sees a failed attempt and not a finished call.
"""

from __future__ import annotations

import asyncio
import time

from temporalio import activity
from temporalio.exceptions import ApplicationError

from forerun.activities.call_result import Bill, Completed, Cut
from forerun.activities.failures import details_of
from forerun.activities.heartbeat import cut_requested, heartbeating
from forerun.activities.operation import OperationCard, ToolRequest
from forerun.activities.registry import Registry
from forerun.speculation.billing import Basis, Cost, exact_cost

LONGEST_MESSAGE = 2_000
"""Characters of what an operation's own error may say: the server takes no failure of megabytes."""


class ToolCalls:
    """The activity that runs the tools of `registry`."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    @activity.defn(name="tool_call")
    async def tool_call(self, request: ToolRequest) -> Completed | Cut:
        """Run one attempt.

        Raises:
            ApplicationError: invalid arguments or output (not retried), or an operation that this
                worker lacks (retried), or whatever the tool itself raised, with the bill.
        """
        tool = self._registry.tool(request.operation, request.version)
        arguments = tool.parse(request.arguments)
        attempts = activity.info().attempt
        bill = declared_bill(tool.card, attempts)
        began = time.monotonic()
        try:
            async with heartbeating(lambda: details_of(bill)):
                output = tool.output(await tool.run(arguments))
        except asyncio.CancelledError:
            if not cut_requested():
                raise
            return Cut(bill=cut_bill(tool.card, attempts), seconds=time.monotonic() - began)
        except Exception as error:  # noqa: BLE001 - raised anew, with its bill
            raise billed_failure(tool.card, bill, error) from brief(error)
        return Completed(output=output, bill=bill, seconds=time.monotonic() - began)


def declared_bill(card: OperationCard, attempts: int) -> Bill:
    """The bill of an operation that has run: its declared dollars for every attempt."""
    return Bill(cost=exact_cost(card.usd * attempts), attempts=attempts)


def billed_failure(card: OperationCard, bill: Bill, error: Exception) -> ApplicationError:
    """`error` of an operation as the failure of its attempt, with what it has cost.

    An `ApplicationError` keeps its type, and whether and when it is retried; any other exception is
    retried.
    """
    known = error if isinstance(error, ApplicationError) else None
    said = known.message if known else f"{card.name}: {type(error).__name__}: {error}".rstrip(": ")
    return ApplicationError(
        said if len(said) <= LONGEST_MESSAGE else f"{said[: LONGEST_MESSAGE - 1]}…",
        details_of(bill),
        type=(known and known.type) or type(error).__name__,
        non_retryable=known is not None and known.non_retryable,
        next_retry_delay=known.next_retry_delay if known else None,
    )


def brief(error: BaseException | None) -> BaseException | None:
    """`error`, to be stored with its traceback as the cause of a failure; None if it says too much."""
    cause, length = error, 0
    while cause is not None:
        length += len(str(cause))
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return error if length <= LONGEST_MESSAGE else None


def cut_bill(card: OperationCard, attempts: int) -> Bill:
    """Whether the vendor charges for the attempt that was cut is unknown: nothing, or all of it."""
    if not card.usd:
        return declared_bill(card, attempts)
    whole = card.usd * attempts
    cost = Cost(low_usd=whole - card.usd, best_usd=whole, high_usd=whole, basis=Basis.ESTIMATED)
    return Bill(cost=cost, attempts=attempts)

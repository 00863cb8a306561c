"""Every launched speculation has exactly one outcome, and it says what its call came to (design 6.3)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from forerun.activities.call_result import Completed, Cut
from forerun.speculation.quantities import ZERO, number
from forerun.speculation.record import Outcome
from forerun.speculation.table import Ending
from forerun.workers.audit.launched import CLAIMED_BY, Decided, Launch, launches, unsent
from forerun.workers.audit.run import Call, Run
from forerun.workers.audit.violation import Violation, unless_equal, violation
from forerun.workflows.bills import NOTHING, UNKNOWN, EndedBill

FAILED = ("failed", "timed_out")


def check(run: Run) -> Iterator[Violation]:
    """One outcome each, written once the call has ended and before the run closes."""
    launched = {launch.call.id: launch for launch in launches(run)}
    never_sent = unsent(run)
    written: dict[str, int] = {}
    for event_id, outcome in run.of(Outcome):
        id = outcome.speculation
        if id in written:
            found = f"a second one after event {written[id]}"
            yield violation(event_id, outcome.node, "outcome", f"one of {id}", found)
            continue
        written[id] = event_id
        if id in launched:
            yield from _of_launch(event_id, outcome, launched[id])
        else:
            yield from _of_unsent(event_id, outcome, id in never_sent)
    if run.settled:
        for id, launch in launched.items():
            if id not in written:
                yield violation(
                    launch.call.event_id, launch.call.node, "outcome", f"one of {id}", None
                )


def _of_launch(event_id: int, outcome: Outcome, launch: Launch) -> Iterator[Violation]:
    call, node = launch.call, launch.call.node
    yield from unless_equal(event_id, node, "node", node, outcome.node)
    yield from unless_equal(event_id, node, "fingerprint", launch.fingerprint, outcome.fingerprint)
    if launch.decided is not None:
        yield from _of_bet(event_id, outcome, launch.decided)
    if call.end is None or call.end.event_id > event_id:
        ended = f"at event {call.end.event_id}" if call.end else None
        yield violation(event_id, node, "outcome", "the end of its call before it", ended)
    else:
        yield from _of_end(event_id, outcome, call)


def _of_bet(event_id: int, outcome: Outcome, source: Decided) -> Iterator[Violation]:
    """Named as in the decision that launched it."""
    label = " & ".join(assumed.label for assumed in source.decision.assumptions)
    named = {"operation": source.stake.operation, "bet": source.decision.bet, "label": label}
    for check, expected in named.items():
        yield from unless_equal(event_id, outcome.node, check, expected, getattr(outcome, check))


def _of_end(event_id: int, outcome: Outcome, call: Call) -> Iterator[Violation]:
    """What the call's own end says about how it ended and what it cost."""
    expected = _ending(call, claimed=outcome.reason.startswith(CLAIMED_BY))
    yield from unless_equal(event_id, outcome.node, "outcome", expected, outcome.outcome)
    yield from _as_billed(event_id, outcome, ended_bill(call))


def _ending(call: Call, *, claimed: bool) -> Ending:
    """What becomes of a speculation whose call ended so."""
    if call.completed:
        return Ending.PROMOTED if claimed else Ending.DISCARDED
    return Ending.FAILED if call.end and call.end.how in FAILED else Ending.CUT


def _of_unsent(event_id: int, outcome: Outcome, known: bool) -> Iterator[Violation]:
    """A launch that was cut before the server heard of it: decided on, and free."""
    if not known:
        expected = f"a launch of {outcome.speculation}"
        yield violation(event_id, outcome.node, "outcome", expected, None)
        return
    yield from unless_equal(event_id, outcome.node, "outcome", Ending.CUT, outcome.outcome)
    yield from _as_billed(event_id, outcome, EndedBill(bill=NOTHING))


def ended_bill(call: Call) -> EndedBill:
    """What an ended call cost, by what it returned or failed with; nothing if it never ran."""
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


def _as_billed(event_id: int, outcome: Outcome, ended: EndedBill) -> Iterator[Violation]:
    """To the last digit; wasted is what it cost, unless it was promoted."""
    cost = ended.cost
    seconds = None if ended.seconds is None else number(round(ended.seconds, 3))
    expected: dict[str, Any] = {
        "usage": ended.bill.usage,
        "delivered_tokens": ended.delivered_tokens,
        "expected_tokens": ended.expected_tokens,
        "seconds": seconds,
        "low_usd": cost.low_usd,
        "best_usd": cost.best_usd,
        "high_usd": cost.high_usd,
        "basis": cost.basis,
        "wasted_usd": ZERO if outcome.outcome is Ending.PROMOTED else cost.best_usd,
    }
    for check, value in expected.items():
        yield from unless_equal(event_id, outcome.node, check, value, getattr(outcome, check))

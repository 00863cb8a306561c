"""The ledger of the result, summed up again from the recorded calls (design 6.5)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from forerun.speculation.ledger import Ledger
from forerun.workers.audit.accounts import speculations_of
from forerun.workers.audit.billed import ended_bill
from forerun.workers.audit.payloads import object_of
from forerun.workers.audit.run import COMMIT, Run
from forerun.workers.audit.violation import Violation, unless_equal, violation
from forerun.workflows.result import ledger_view
from forerun.workflows.timing import Timing

SECONDS = ("seconds", "sequential_seconds")
LARGEST = 1e12
"""Of a number of seconds that anybody could mean: beyond, no float can be reckoned with."""


def check(run: Run) -> Iterator[Violation]:
    """Each amount and count, to the last digit; a run without a result has no ledger.

    How long it took is rebuilt by replay; here only that what was saved is the difference.
    """
    result, at = run.close.result, run.close.event_id
    if result is None or "ledger" not in result:
        return
    told = object_of(result["ledger"])
    if not all(is_number(told.get(key)) for key in SECONDS):
        yield violation(at, "", "ledger", f"an object with {' and '.join(SECONDS)}", told)
        return
    timing = Timing(**{key: told[key] for key in SECONDS})
    for key, value in ledger_view(ledger_of(run), timing).items():
        yield from unless_equal(at, "", f"ledger.{key}", value, told.get(key))


def ledger_of(run: Run) -> Ledger:
    """Every call in its place: authoritative, promoted, wasted, or spent on guessing."""
    ledger = speculations_of(run)
    for call in run.calls:
        if call.certain and call.end is not None:
            ledger = ledger.paid(ended_bill(call).cost.best_usd)
        elif call.type == COMMIT and call.end and call.end.bill:
            ledger = ledger.paid(call.end.bill.cost.best_usd)
    return ledger


def is_number(value: Any) -> bool:
    """Whether it is a number of seconds that can be reckoned with."""
    known = isinstance(value, int | float) and not isinstance(value, bool)
    return known and abs(value) < LARGEST

"""Every launched speculation has exactly one outcome, and so has every bought guess (design 6.3).

It is written once the call has ended and before the run closes, and says what the call came to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from forerun.speculation.quantities import ZERO
from forerun.speculation.record import Bought, BoughtEnd, Outcome
from forerun.speculation.table import Ending
from forerun.workers.audit.billed import FAILED, ended_bill, unlike_bill
from forerun.workers.audit.launched import (
    CLAIMED_BY,
    Decided,
    Launch,
    launches,
    purchases,
    unsent,
)
from forerun.workers.audit.run import Call, Run
from forerun.workers.audit.violation import Violation, unless_equal, violation
from forerun.workflows.bills import NOTHING, EndedBill

Told = Outcome | Bought


def check(run: Run) -> Iterator[Violation]:
    """One record for each, by the id of its call."""
    never_sent = unsent(run)
    yield from _each_once(run, launches(run), _by_id(run, Outcome), never_sent)
    yield from _each_once(run, purchases(run), _by_id(run, Bought), never_sent)


def _by_id(run: Run, kind: type[Told]) -> list[tuple[str, int, Told]]:
    return [(id_of(record), event_id, record) for event_id, record in run.of(kind)]


def id_of(record: Told) -> str:
    """The id of the call that a record is about."""
    return record.speculation if isinstance(record, Outcome) else record.purchase


def _each_once(
    run: Run,
    launched: Sequence[Launch],
    records: Sequence[tuple[str, int, Told]],
    never_sent: Mapping[str, Decided],
) -> Iterator[Violation]:
    by_id = {launch.call.id: launch for launch in launched}
    written: dict[str, int] = {}
    for id, event_id, record in records:
        if id in written:
            found = f"a second one after event {written[id]}"
            yield violation(event_id, record.node, "outcome", f"one of {id}", found)
            continue
        written[id] = event_id
        if id in by_id:
            yield from _of_launch(event_id, record, by_id[id])
        elif id in never_sent:
            yield from _of_unsent(event_id, record, never_sent[id])
        else:
            yield violation(event_id, record.node, "outcome", f"a launch of {id}", None)
    for id, launch in by_id.items() if run.settled else ():
        if id not in written:
            at, node = launch.call.event_id, launch.call.node
            yield violation(at, node, "outcome", f"one of {id}", None)


def _of_launch(event_id: int, record: Told, launch: Launch) -> Iterator[Violation]:
    call, node = launch.call, launch.call.node
    yield from unless_equal(event_id, node, "node", node, record.node)
    yield from unless_equal(event_id, node, "fingerprint", launch.fingerprint, record.fingerprint)
    if launch.decided is not None:
        yield from _named(event_id, record, launch.decided)
    if call.end is None or call.end.event_id > event_id:
        ended = f"at event {call.end.event_id}" if call.end else None
        yield violation(event_id, node, "outcome", "the end of its call before it", ended)
        return
    yield from _ended(event_id, record, call)
    yield from unlike_bill(event_id, record, ended_bill(call))
    yield from _wasted(event_id, record)


def _of_unsent(event_id: int, record: Told, source: Decided) -> Iterator[Violation]:
    """A launch that was cut before the server heard of it is free."""
    yield from _named(event_id, record, source)
    found = record.outcome if isinstance(record, Outcome) else record.end
    yield from unless_equal(event_id, record.node, "outcome", Ending.CUT.value, found.value)
    yield from unlike_bill(event_id, record, EndedBill(bill=NOTHING))
    yield from _wasted(event_id, record)


def _named(event_id: int, record: Told, source: Decided) -> Iterator[Violation]:
    """As in the decision that started it."""
    decision = source.decision
    label = " & ".join(assumed.label for assumed in decision.assumptions)
    bet = "bet" if isinstance(record, Outcome) else "guess"
    named: dict[str, Any] = {"operation": source.operation, bet: decision.bet, "label": label}
    for check, expected in named.items():
        yield from unless_equal(event_id, record.node, check, expected, getattr(record, check))


def _ended(event_id: int, record: Told, call: Call) -> Iterator[Violation]:
    """What becomes of a call that ended so."""
    failed = call.end is not None and call.end.how in FAILED
    if isinstance(record, Bought):
        end = BoughtEnd.FAILED if failed else BoughtEnd.CUT
        expected = BoughtEnd.ANSWERED if call.completed else end
        yield from unless_equal(event_id, record.node, "end", expected, record.end)
        return
    claimed = record.reason.startswith(CLAIMED_BY)
    if call.completed:
        ending = Ending.PROMOTED if claimed else Ending.DISCARDED
    else:
        ending = Ending.FAILED if failed else Ending.CUT
    yield from unless_equal(event_id, record.node, "outcome", ending, record.outcome)


def _wasted(event_id: int, record: Told) -> Iterator[Violation]:
    """All that it cost, unless it was promoted; what is bought is never wasted, but spent."""
    if isinstance(record, Outcome):
        expected = ZERO if record.outcome is Ending.PROMOTED else record.best_usd
        yield from unless_equal(event_id, record.node, "wasted_usd", expected, record.wasted_usd)

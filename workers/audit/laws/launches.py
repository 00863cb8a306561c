"""Every launch has a decision before it, and reserves what it can cost at most (design 6.3, 6.6)."""

from __future__ import annotations

from collections.abc import Iterator

from forerun.activities.model_call import ModelRequest, input_bytes
from forerun.speculation.pricing import worst_case_usd
from forerun.speculation.rule import Verdict
from forerun.workers.audit.launched import Decided, Launch, decided, launches, purchases
from forerun.workers.audit.run import Run
from forerun.workers.audit.violation import Violation, violation


def check(run: Run) -> Iterator[Violation]:
    """Each speculation, and each bought guess, was decided on, exactly as it was asked."""
    ids: set[str] = set()
    for launch in [*launches(run), *purchases(run)]:
        call = launch.call
        if call.id in ids:
            yield violation(
                call.event_id, call.node, "launch", "one of this id", f"{call.id} again"
            )
        ids.add(call.id)
        if launch.decided is None:
            yield _undecided(run, launch)
        else:
            yield from _reservation(launch)


def _undecided(run: Run, launch: Launch) -> Violation:
    """A launch without its record; where one comes close, how it differs."""
    call = launch.call
    earlier = [
        one
        for one in decided(run)
        if one.event_id < call.event_id and one.node == call.node and _bought(one) == call.bought
    ]
    if not earlier:
        return violation(call.event_id, call.node, "launch", "a decision before it", None)
    expected = " or ".join(dict.fromkeys(f"{one.fingerprint:.12}" for one in earlier))
    found = f"{launch.fingerprint:.12}" if launch.fingerprint else None
    return violation(call.event_id, call.node, "fingerprint", expected, found)


def _reservation(launch: Launch) -> Iterator[Violation]:
    """Every byte of the input a token, and the whole output allowance, at the recorded rates.

    A long prompt may be reserved at the dearer rates of a higher tier, never at less.
    """
    call, source = launch.call, launch.decided
    if source is None or source.rates is None or not isinstance(call.asked, ModelRequest):
        return
    worst = worst_case_usd(
        source.rates,
        input_bytes=input_bytes(call.asked),
        max_output_tokens=call.asked.max_output_tokens,
    )
    if source.worst_usd is None or source.worst_usd < worst:
        yield violation(call.event_id, call.node, "worst_usd", worst, source.worst_usd)


def _bought(source: Decided) -> bool:
    return source.decision.verdict is Verdict.BUY

"""Every launch has a decision before it, and reserves what it can cost at most (design 6.3, 6.6)."""

from __future__ import annotations

from collections.abc import Iterator

from forerun.activities.model_call import ModelRequest, input_bytes
from forerun.speculation.pricing import worst_case_usd
from forerun.workers.audit.launched import Launch, decided, launches
from forerun.workers.audit.run import Run
from forerun.workers.audit.violation import Violation, violation


def check(run: Run) -> Iterator[Violation]:
    """Each speculation was decided on, exactly as it was asked, and none runs under two ids."""
    ids: set[str] = set()
    for launch in launches(run):
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
    earlier = [b for b in decided(run) if b.event_id < call.event_id and b.stake.node == call.node]
    if not earlier:
        return violation(call.event_id, call.node, "launch", "a decision before it", None)
    expected = " or ".join(dict.fromkeys(f"{b.stake.fingerprint:.12}" for b in earlier))
    found = f"{launch.fingerprint:.12}" if launch.fingerprint else None
    return violation(call.event_id, call.node, "fingerprint", expected, found)


def _reservation(launch: Launch) -> Iterator[Violation]:
    """Every byte of the input a token, and the whole output allowance, at the recorded rates.

    A long prompt may be reserved at the dearer rates of a higher tier, never at less.
    """
    call, stake = launch.call, launch.decided.stake if launch.decided else None
    if stake is None or stake.rates is None or not isinstance(call.asked, ModelRequest):
        return
    worst = worst_case_usd(
        stake.rates,
        input_bytes=input_bytes(call.asked),
        max_output_tokens=call.asked.max_output_tokens,
    )
    if stake.worst_usd is None or stake.worst_usd < worst:
        yield violation(call.event_id, call.node, "worst_usd", worst, stake.worst_usd)

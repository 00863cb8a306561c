"""Every decision again from its own recorded inputs: P, L, EV, threshold, and so its verdict.

The arithmetic is that of `speculation`, by name. C and R are in `costs`; whether the dials were
those in force and the funds those that were left, in `budget`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal

from forerun.speculation.bet import Bet, bet_id
from forerun.speculation.decision import Decision
from forerun.speculation.guess import guess_id
from forerun.speculation.makespan import Leg
from forerun.speculation.quantities import ONE, ZERO
from forerun.speculation.rule import RULE, Verdict, worth
from forerun.workers.audit.records import about
from forerun.workers.audit.run import Run
from forerun.workers.audit.violation import Violation, unless_equal, violation

BOUND_ERROR = Decimal("0.000001")
"""How far a credible bound may be off, per assumption: its computation is not exact everywhere."""

MILLI = -3


def check(run: Run) -> Iterator[Violation]:
    """The figures of every decision."""
    for event_id, decision in run.of(Decision):
        node = about(decision)
        if decision.rule != RULE:
            yield violation(event_id, node, "rule", f"{RULE}, that of this version", decision.rule)
            continue
        yield from _names(event_id, decision)
        yield from _p(event_id, decision)
        yield from unless_equal(
            event_id, node, "seconds_saved", _saved(decision), decision.seconds_saved
        )
        yield from _worth(event_id, decision)
        yield from _verdict(event_id, decision)


def _names(event_id: int, decision: Decision) -> Iterator[Violation]:
    """A guess is named by its node and value, a bet by its guesses."""
    node = about(decision)
    for way in (decision.assumptions, *decision.alternatives):
        for assumed in way:
            named = guess_id(assumed.node, assumed.value_sha256)
            # A value that is still to be bought has no hash: it is named after its seller.
            unknown = decision.purchase and assumed.guess.startswith(f"{assumed.node}@?")
            if assumed.guess != named and not unknown:
                yield violation(event_id, node, "guess", named, assumed.guess)
    named = bet_id(assumed.guess for assumed in decision.assumptions)
    yield from unless_equal(event_id, node, "bet", named, decision.bet)


def _p(event_id: int, decision: Decision) -> Iterator[Violation]:
    bound = decision.p_bound
    if bound is not None and not ZERO < bound < ONE:
        yield violation(event_id, about(decision), "p_bound", "between 0 and 1", bound)
        return
    bet = Bet(
        question=decision.question,
        assumptions=decision.assumptions,
        conditions=decision.conditions,
        calls=(),
        alternatives=decision.alternatives,
    )
    p = bet.p(bound)
    bounds = sum(len(way) for way in (decision.assumptions, *decision.alternatives))
    if abs(p - decision.p) > (BOUND_ERROR * bounds if bound is not None else ZERO):
        yield violation(event_id, about(decision), "p", p, decision.p)


def _saved(decision: Decision) -> Decimal:
    """L: what the recorded paths differ by, in seconds."""
    saved = _length(decision.path_without) - _length(decision.path_with)
    return Decimal(saved).scaleb(MILLI)


def _length(path: tuple[Leg, ...]) -> int:
    return sum(leg.ms for leg in path)


def _worth(event_id: int, decision: Decision) -> Iterator[Violation]:
    node, guess = about(decision), decision.purchase.cost_usd if decision.purchase else ZERO
    if decision.cost_usd is None or guess is None:
        yield from unless_equal(event_id, node, "ev_usd", None, decision.ev_usd)
        yield from unless_equal(event_id, node, "threshold_usd", None, decision.threshold_usd)
        return
    figures = worth(
        p=decision.p,
        seconds_saved=decision.seconds_saved,
        usd_per_second=decision.usd_per_second,
        cost_usd=decision.cost_usd,
        alpha=decision.alpha,
        guess_usd=guess,
    )
    yield from unless_equal(event_id, node, "ev_usd", figures.ev_usd, decision.ev_usd)
    yield from unless_equal(
        event_id, node, "threshold_usd", figures.threshold_usd, decision.threshold_usd
    )


def _verdict(event_id: int, decision: Decision) -> Iterator[Violation]:
    """The verdict follows from the figures, and its reason is true."""
    hindrance, placed = hindered(decision), Verdict.BUY if decision.purchase else Verdict.LAUNCH
    expected = f"hold: {hindrance}" if hindrance else placed
    match decision.verdict:
        case Verdict.LAUNCH | Verdict.BUY:
            right = not hindrance and decision.verdict is placed
        case Verdict.HOLD:
            right = _rightly_held(decision)
        case Verdict.CUT:
            right, expected = _rightly_cut(decision), Verdict.CONTINUE
        case Verdict.CONTINUE:
            right, expected = False, "none: what goes on is not recorded"
    if not right:
        found = f"{decision.verdict}: {decision.reason}"
        yield violation(event_id, about(decision), "verdict", expected, found)


def hindered(decision: Decision) -> str | None:
    """Why a bet of these figures is not launched; None if they say that it pays."""
    return next((why for why, hinders in HINDRANCES.items() if hinders(decision)), None)


def _unpriced(decision: Decision) -> bool:
    amounts = [decision.cost_usd, decision.worst_usd]
    if decision.purchase is not None:
        amounts += [decision.purchase.cost_usd, decision.purchase.worst_usd]
    for exposure in decision.calls:
        amounts += [exposure.cost_usd, exposure.stake.worst_usd]
    return None in amounts


def _loses(decision: Decision) -> bool:
    """EV is below the threshold; an unknown one is not."""
    ev, threshold = decision.ev_usd, decision.threshold_usd
    return ev is not None and threshold is not None and ev < threshold


def _waits(decision: Decision) -> bool:
    return not any(exposure.stake.starts for exposure in decision.calls)


HINDRANCES: Mapping[str, Callable[[Decision], bool]] = {
    "unpriced": _unpriced,
    "cannot be right": lambda d: d.p <= ZERO,
    "saves no time": lambda d: d.seconds_saved <= ZERO,
    "EV below threshold": _loses,
    "waits for a result": _waits,
    "budget": lambda d: (d.worst_usd or ZERO) > d.funds_usd,
}
"""Reasons to hold that a decision's own figures show, in the order of `speculation.choice`."""

LOSSES: Mapping[str, Callable[[Decision], bool]] = {
    "saves no time any more": lambda d: d.seconds_saved <= ZERO,
    "EV of what is left below threshold": _loses,
}
"""Reasons to cut a live bet, as in `speculation.continuation`."""


def _rightly_held(decision: Decision) -> bool:
    """Whether the reason is one that the figures show, or a hard limit that the record names."""
    reason, limit = decision.reason.partition(":")[0], decision.reason.rpartition(" ")[2]
    if reason in HINDRANCES:
        return HINDRANCES[reason](decision)
    if reason.startswith("max_depth "):
        return limit.isdecimal() and len(decision.assumptions) > int(limit)
    if reason == "rate_limited":
        asked = [exposure.stake.operation for exposure in decision.calls]
        asked += [decision.purchase.operation] if decision.purchase else []
        return any(operation.startswith(f"{limit}:") for operation in asked)
    refused = [refusal.reason for refusal in decision.refused]
    return reason.startswith("max_breadth ") or (_waits(decision) and decision.reason in refused)


def _rightly_cut(decision: Decision) -> bool:
    loses = LOSSES.get(decision.reason)
    return bool(decision.cost_usd) and loses is not None and loses(decision)

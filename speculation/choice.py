"""Which of the bets at hand to place: greedily, by expected value per dollar at risk.

Breadth and depth need no algorithm of their own: guesses that exclude each other are separate bets,
and a chain of guesses is a bet with a joint P. After each placement every other bet is judged anew
on top of it. Hard limits come first, whatever the dollars say.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from forerun.speculation.assessment import Assessment, Placed, beside, placed_by
from forerun.speculation.bet import Bet, node_of
from forerun.speculation.decision import Decision, Judged, Situation, decision_of, judge
from forerun.speculation.quantities import ZERO
from forerun.speculation.rule import Verdict, Worth


def decide(situation: Situation) -> tuple[Decision, ...]:
    """Judge all bets of a batch: launches in the order of placement, then the held ones."""
    placed = list(situation.placed)
    funds = situation.funds_usd
    judged = [judge(bet, situation, placed) for bet in situation.bets]
    breadth = _guesses_by_node(placed)
    decisions: list[Decision] = []
    while judged:
        hindrances = [_hindrance(one, situation, funds, breadth) for one in judged]
        eligible = [one for one, why in zip(judged, hindrances, strict=True) if why is None]
        if not eligible:
            held = zip(judged, hindrances, strict=True)
            return (*decisions, *(_held(one, why, situation, funds) for one, why in held))
        best = _highest_return(eligible)
        decisions.append(_launched(best, situation, funds))
        added = placed_by(best.bet, best.assessment)
        placed += added
        funds -= best.assessment.worst_usd or ZERO
        breadth = _guesses_by_node(placed)
        judged = [_anew(o, situation, placed, added) for o in judged if o is not best]
    return tuple(decisions)


def _anew(
    judged: Judged, situation: Situation, placed: Sequence[Placed], added: Sequence[Placed]
) -> Judged:
    """Judged on top of what was added, unless they exclude each other: then nothing has changed."""
    return judge(judged.bet, situation, placed) if beside(judged.bet, added) else judged


def _launched(judged: Judged, situation: Situation, funds: Decimal) -> Decision:
    reason = "EV reaches the threshold"
    return decision_of(judged, situation, verdict=Verdict.LAUNCH, reason=reason, funds=funds)


def _held(judged: Judged, why: str | None, situation: Situation, funds: Decimal) -> Decision:
    return decision_of(judged, situation, verdict=Verdict.HOLD, reason=why or "", funds=funds)


def _hindrance(
    judged: Judged, situation: Situation, funds: Decimal, breadth: dict[str, set[str]]
) -> str | None:
    """Why a bet is not placed; None if nothing speaks against it."""
    return (
        _inadmissible(judged.bet, situation, breadth)
        or _unpriced(judged.assessment)
        or _impossible(judged)
        or _unprofitable(judged.assessment, judged.worth)
        or _unaffordable(judged.assessment, funds)
    )


def _inadmissible(bet: Bet, situation: Situation, breadth: dict[str, set[str]]) -> str | None:
    """Hard limits, whatever the dollars say."""
    policy = situation.policy
    if not any(stake.launches for stake in bet.calls):
        return bet.refused[0].reason if bet.refused else "waits for a result"
    if len(bet.assumptions) > policy.max_depth:
        return f"max_depth {policy.max_depth}"
    for assumption in bet.assumptions:
        taken = breadth.get(assumption.node, set())
        if assumption.guess not in taken and len(taken) >= policy.max_breadth:
            return f"max_breadth {policy.max_breadth}"
    for stake in bet.calls:
        provider = stake.operation.partition(":")[0]
        if stake.launches and provider in situation.held_back:
            return situation.held_back[provider]
    return None


def _unpriced(assessment: Assessment) -> str | None:
    for exposure in assessment.exposures:
        if exposure.cost_usd is None or exposure.stake.worst_usd is None:
            return f"unpriced: no price known for {exposure.stake.operation}"
    if assessment.cost_usd is None or assessment.worst_usd is None:
        return "unpriced: no price known for a later call"
    return None


def _impossible(judged: Judged) -> str | None:
    """Free or not: a bet that a `when` on its way rules out is no bet."""
    return "cannot be right" if judged.p <= ZERO else None


def _unprofitable(assessment: Assessment, judged: Worth | None) -> str | None:
    if assessment.saved_ms <= 0:
        return "saves no time"
    if judged is None or not judged.pays:
        return "EV below threshold"
    if not any(exposure.stake.launches for exposure in assessment.exposures):
        return "waits for a result"
    return None


def _unaffordable(assessment: Assessment, funds: Decimal) -> str | None:
    return "budget" if (assessment.worst_usd or ZERO) > funds else None


def _highest_return(eligible: Sequence[Judged]) -> Judged:
    """The highest EV per worst-case dollar; nothing at risk comes first, then the higher EV."""
    best = eligible[0]
    for other in eligible[1:]:
        if _ratio_exceeds(other, best):
            best = other
    return best


def _ratio_exceeds(one: Judged, other: Judged) -> bool:
    """EV1 / R1 > EV2 / R2 without a division, so that R = 0 needs no infinity."""
    ev1, ev2 = (j.worth.ev_usd if j.worth else ZERO for j in (one, other))
    r1, r2 = (j.assessment.worst_usd or ZERO for j in (one, other))
    if (r1 == 0) != (r2 == 0):
        return r1 == 0
    left, right = (ev1, ev2) if r1 == 0 else (ev1 * r2, ev2 * r1)
    return left > right


def _guesses_by_node(placed: Sequence[Placed]) -> dict[str, set[str]]:
    taken: dict[str, set[str]] = {}
    for one in placed:
        for guess in one.guesses:
            taken.setdefault(node_of(guess), set()).add(guess)
    return taken

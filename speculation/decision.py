"""Decisions: which of the bets at hand to place, in dollars, and why.

One batch is one call of `decide`. Breadth and depth need no algorithm of their own: guesses that
exclude each other are separate bets, and a chain of guesses is a bet with a joint P. Bets are placed
greedily by expected value per dollar at risk, and every other bet is judged anew on top of the
placed ones. A decision carries every figure that it was made from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from forerun.speculation.assessment import Assessment, Exposure, Placed, assess, placed_by
from forerun.speculation.bet import Assumption, Bet, Condition, Refusal, node_of
from forerun.speculation.makespan import Leg, Network, differing
from forerun.speculation.policy import Policy
from forerun.speculation.quantities import ZERO
from forerun.speculation.rule import RULE, Verdict, Worth, worth

MILLI = -3


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """All that a batch of decisions is made from.

    `funds_usd` is what the budget leaves: budget less dollars lost and dollars reserved. `breadth`
    counts, per node, the guesses already bet on. `held_back` names providers that must not be
    speculated with right now, with the reason.
    """

    at: str
    policy: Policy
    funds_usd: Decimal
    network: Network
    placed: tuple[Placed, ...]
    bets: tuple[Bet, ...]
    held_back: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One bet judged: the record that history keeps (design 4.1).

    `path_without` and `path_with` are the critical paths whose lengths differ by `seconds_saved`,
    less the legs that both begin or end with.
    `p`, `cost_usd`, `ev_usd` and `threshold_usd` are the two sides of the rule; None where a call is
    unpriced.
    """

    kind: Literal["decision"] = "decision"
    at: str
    rule: str = RULE
    bet: str
    question: str
    verdict: Verdict
    reason: str
    assumptions: tuple[Assumption, ...]
    conditions: tuple[Condition, ...]
    p: Decimal
    p_bound: Decimal | None
    seconds_saved: Decimal
    path_without: tuple[Leg, ...]
    path_with: tuple[Leg, ...]
    calls: tuple[Exposure, ...]
    dropped: tuple[str, ...]
    refused: tuple[Refusal, ...]
    skipped: tuple[str, ...]
    cost_usd: Decimal | None
    worst_usd: Decimal | None
    usd_per_second: Decimal
    alpha: Decimal
    ev_usd: Decimal | None
    threshold_usd: Decimal | None
    funds_usd: Decimal

    @property
    def launched(self) -> tuple[Exposure, ...]:
        """The calls that this decision starts."""
        if self.verdict is not Verdict.LAUNCH:
            return ()
        return tuple(call for call in self.calls if call.stake.launches)


@dataclass(frozen=True, slots=True)
class _Judged:
    """A bet with its figures, on top of what is placed at that moment."""

    bet: Bet
    assessment: Assessment
    p: Decimal
    worth: Worth | None
    hindrance: str | None


def decide(situation: Situation) -> tuple[Decision, ...]:
    """Judge all bets of a batch: launches in the order of placement, then the held ones."""
    placed = list(situation.placed)
    funds = situation.funds_usd
    waiting = list(situation.bets)
    breadth = _guesses_by_node(placed)
    decisions: list[Decision] = []
    while waiting:
        judged = [_judge(bet, situation, placed, funds, breadth) for bet in waiting]
        eligible = [one for one in judged if one.hindrance is None]
        if not eligible:
            return (*decisions, *(_record(one, situation, funds) for one in judged))
        best = _dearest_return(eligible)
        decisions.append(_record(best, situation, funds))
        placed += placed_by(best.bet, best.assessment)
        funds -= best.assessment.worst_usd or ZERO
        breadth = _guesses_by_node(placed)
        waiting.remove(best.bet)
    return tuple(decisions)


def _judge(
    bet: Bet,
    situation: Situation,
    placed: Sequence[Placed],
    funds: Decimal,
    breadth: dict[str, set[str]],
) -> _Judged:
    policy = situation.policy
    assessment = assess(bet, situation.network, placed)
    p = bet.p(policy.p_bound)
    cost = assessment.cost_usd
    judged = (
        None
        if cost is None
        else worth(
            p=p,
            seconds_saved=_seconds(assessment.saved_ms),
            usd_per_second=policy.usd_per_second,
            cost_usd=cost,
            alpha=policy.alpha,
        )
    )
    hindrance = (
        _inadmissible(bet, situation, breadth)
        or _unpriced(assessment)
        or _unprofitable(assessment, judged)
        or _unaffordable(assessment, funds)
    )
    return _Judged(bet, assessment, p, judged, hindrance)


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
    return None


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


def _dearest_return(eligible: Sequence[_Judged]) -> _Judged:
    """The highest EV per worst-case dollar; nothing at risk comes first, then the higher EV."""
    best = eligible[0]
    for other in eligible[1:]:
        if _ratio_exceeds(other, best):
            best = other
    return best


def _ratio_exceeds(one: _Judged, other: _Judged) -> bool:
    """EV1 / R1 > EV2 / R2 without a division, so that R = 0 needs no infinity."""
    ev1, ev2 = (j.worth.ev_usd if j.worth else ZERO for j in (one, other))
    r1, r2 = (j.assessment.worst_usd or ZERO for j in (one, other))
    if (r1 == 0) != (r2 == 0):
        return r1 == 0
    left, right = (ev1, ev2) if r1 == 0 else (ev1 * r2, ev2 * r1)
    return left > right


def _record(judged: _Judged, situation: Situation, funds: Decimal) -> Decision:
    assessment, policy = judged.assessment, situation.policy
    launch = judged.hindrance is None
    without, with_bet = differing(
        assessment.without.critical_path(), assessment.with_bet.critical_path()
    )
    return Decision(
        at=situation.at,
        bet=judged.bet.id,
        question=judged.bet.question,
        verdict=Verdict.LAUNCH if launch else Verdict.HOLD,
        reason="EV reaches the threshold" if launch else str(judged.hindrance),
        assumptions=judged.bet.assumptions,
        conditions=judged.bet.conditions,
        p=judged.p,
        p_bound=policy.p_bound,
        seconds_saved=_seconds(assessment.saved_ms),
        path_without=without,
        path_with=with_bet,
        calls=assessment.exposures,
        dropped=assessment.dropped,
        refused=judged.bet.refused,
        skipped=judged.bet.skipped,
        cost_usd=assessment.cost_usd,
        worst_usd=assessment.worst_usd,
        usd_per_second=policy.usd_per_second,
        alpha=policy.alpha,
        ev_usd=judged.worth.ev_usd if judged.worth else None,
        threshold_usd=judged.worth.threshold_usd if judged.worth else None,
        funds_usd=funds,
    )


def _guesses_by_node(placed: Sequence[Placed]) -> dict[str, set[str]]:
    taken: dict[str, set[str]] = {}
    for one in placed:
        for guess in one.guesses:
            taken.setdefault(node_of(guess), set()).add(guess)
    return taken


def _seconds(ms: int) -> Decimal:
    return Decimal(ms).scaleb(MILLI)

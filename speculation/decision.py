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

from forerun.speculation.assessment import (
    CALLS_PER_RECORD,
    Assessment,
    Exposure,
    Later,
    Placed,
    assess,
)
from forerun.speculation.bet import Assumption, Bet, Condition, Refusal
from forerun.speculation.makespan import Leg, Network, differing
from forerun.speculation.policy import Policy
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
    `calls` are those of this round and `later` what those of further rounds come to; `dropped` names
    the first that were. `p`, `cost_usd`, `ev_usd` and `threshold_usd` are the two sides of the rule; None where a call is
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
    alternatives: tuple[tuple[Assumption, ...], ...]
    conditions: tuple[Condition, ...]
    p: Decimal
    p_bound: Decimal | None
    seconds_saved: Decimal
    path_without: tuple[Leg, ...]
    path_with: tuple[Leg, ...]
    calls: tuple[Exposure, ...]
    later: Later
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
class Judged:
    """A bet with its figures, on top of what is placed at that moment."""

    bet: Bet
    assessment: Assessment
    p: Decimal
    worth: Worth | None


def judge(bet: Bet, situation: Situation, placed: Sequence[Placed]) -> Judged:
    """Work out the rule for one bet; its worth is None while one of its calls is unpriced."""
    policy = situation.policy
    assessment = assess(bet, situation.network, placed)
    p = bet.p(policy.p_bound)
    cost = assessment.cost_usd
    if cost is None:
        return Judged(bet, assessment, p, None)
    figures = worth(
        p=p,
        seconds_saved=_seconds(assessment.saved_ms),
        usd_per_second=policy.usd_per_second,
        cost_usd=cost,
        alpha=policy.alpha,
    )
    return Judged(bet, assessment, p, figures)


def decision_of(
    judged: Judged, situation: Situation, *, verdict: Verdict, reason: str, funds: Decimal
) -> Decision:
    """The record of a verdict on a judged bet."""
    assessment, policy = judged.assessment, situation.policy
    without, with_bet = differing(
        assessment.without.critical_path(), assessment.with_bet.critical_path()
    )
    return Decision(
        at=situation.at,
        bet=judged.bet.id,
        question=judged.bet.question,
        verdict=verdict,
        reason=reason,
        assumptions=judged.bet.assumptions,
        alternatives=judged.bet.alternatives,
        conditions=judged.bet.conditions,
        p=judged.p,
        p_bound=policy.p_bound,
        seconds_saved=_seconds(assessment.saved_ms),
        path_without=without,
        path_with=with_bet,
        calls=assessment.exposures,
        later=assessment.later,
        dropped=assessment.dropped[:CALLS_PER_RECORD],
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


def _seconds(ms: int) -> Decimal:
    return Decimal(ms).scaleb(MILLI)

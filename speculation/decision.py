"""Decisions: which of the bets at hand to place, in dollars, and why.

One batch is one call of `decide`. Breadth and depth need no algorithm of their own: guesses that
exclude each other are separate bets, and a chain of guesses is a bet with a joint P. Bets are placed
greedily by expected value per dollar at risk, and every other bet is judged anew on top of the
placed ones. A decision carries every figure that it was made from.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from forerun.speculation.assessment import (
    CALLS_PER_RECORD,
    Assessment,
    Exposure,
    Later,
    assess,
    paths,
)
from forerun.speculation.bet import Assumption, Bet, Condition, Refusal
from forerun.speculation.board import Board
from forerun.speculation.buying import Purchase
from forerun.speculation.makespan import Leg
from forerun.speculation.quantities import ZERO
from forerun.speculation.rule import RULE, Verdict, Worth, worth

MILLI = -3


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One bet judged: the record that history keeps (design 4.1).

    `path_without` and `path_with` are the critical paths whose lengths differ by `seconds_saved`,
    less the legs that both begin or end with. `calls` are those of this round and `later` what those
    of further rounds come to; `dropped` names the first that were. With a `purchase` they begin when
    its answer is there. `ev_usd` and `threshold_usd` are the two sides of the rule, None where
    something is unpriced. `worst_usd` is what all of it must reserve, sooner or later.
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
    purchase: Purchase | None = None

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


def judge(bet: Bet, board: Board) -> Judged:
    """Work out the rule for one bet; its worth is None while something in it is unpriced."""
    policy = board.situation.policy
    assessment = assess(bet, board)
    p = bet.p(policy.p_bound)
    cost, guess = assessment.cost_usd, bet.purchase.cost_usd if bet.purchase else ZERO
    if cost is None or guess is None:
        return Judged(bet, assessment, p, None)
    figures = worth(
        p=p,
        seconds_saved=_seconds(assessment.saved_ms),
        usd_per_second=policy.usd_per_second,
        cost_usd=cost,
        alpha=policy.alpha,
        guess_usd=guess,
    )
    return Judged(bet, assessment, p, figures)


def decision_of(judged: Judged, board: Board, verdict: Verdict, reason: str) -> Decision:
    """The record of a verdict on a bet, while the board still is as it was judged on."""
    assessment, situation = judged.assessment, board.situation
    policy = situation.policy
    without, with_bet = paths(judged.bet, assessment, board)
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
        funds_usd=board.funds_usd,
        purchase=judged.bet.purchase,
    )


def _seconds(ms: int) -> Decimal:
    return Decimal(ms).scaleb(MILLI)

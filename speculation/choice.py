"""Which of the bets at hand to place, and which guesses to buy: by expected value per dollar at risk.

Breadth and depth need no algorithm of their own: guesses that exclude each other are separate bets,
and a chain of guesses is a bet with a joint P. After each placement every other bet is judged anew
on top of it. A guess to be bought is a bet whose calls start later: it comes after those that can be
placed at once, and has what they leave of the funds. Hard limits come first, whatever the dollars
say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from forerun.speculation.assessment import Assessment, placed_by
from forerun.speculation.bet import Bet, exclude
from forerun.speculation.board import Board, Situation
from forerun.speculation.continuation import reconsider
from forerun.speculation.decision import Decision, Judged, decision_of, judge
from forerun.speculation.quantities import ZERO
from forerun.speculation.rule import Verdict, Worth


def decide(situation: Situation) -> tuple[Decision, ...]:
    """Judge a batch: cuts of what is live, launches in their order, held bets; then purchases."""
    board = Board(situation)
    return (
        *reconsider(board),
        *_place(situation.bets, board),
        *_place(situation.purchases, board),
    )


def _place(bets: Sequence[Bet], board: Board) -> Iterator[Decision]:
    judged = [judge(bet, board) for bet in bets]
    while eligible := [one for one in judged if _hindrance(one, board) is None]:
        best = _highest_return(eligible)
        verdict = Verdict.BUY if best.bet.purchase else Verdict.LAUNCH
        yield decision_of(best, board, verdict, "EV reaches the threshold")
        board.reserve(best.bet, best.assessment.worst_usd or ZERO)
        board.place(placed_by(best.bet, best.assessment))
        judged = [_anew(one, best, board) for one in judged if one is not best]
    for one in judged:
        yield decision_of(one, board, Verdict.HOLD, _hindrance(one, board) or "")


def _anew(judged: Judged, placed: Judged, board: Board) -> Judged:
    """Judged on top of what was placed, unless they exclude each other: then nothing has changed."""
    if exclude(judged.bet.guesses, placed.bet.guesses):
        return judged
    return judge(judged.bet, board)


def _hindrance(judged: Judged, board: Board) -> str | None:
    """Why a bet is not placed; None if nothing speaks against it."""
    return (
        _inadmissible(judged, board)
        or _unpriced(judged)
        or _impossible(judged)
        or _unprofitable(judged.assessment, judged.worth)
        or _unaffordable(judged.assessment, board)
    )


def _inadmissible(judged: Judged, board: Board) -> str | None:
    """Hard limits, whatever the dollars say."""
    bet = judged.bet
    policy, held_back = board.situation.policy, board.situation.held_back
    if not any(stake.starts for stake in bet.calls):
        return bet.refused[0].reason if bet.refused else "waits for a result"
    if len(bet.assumptions) > policy.max_depth:
        return f"max_depth {policy.max_depth}"
    for assumption in bet.assumptions:
        taken = board.guesses_for(assumption.node)
        if assumption.guess not in taken and len(taken) >= policy.max_breadth:
            return f"max_breadth {policy.max_breadth}"
    providers = [operation.partition(":")[0] for operation in _asked_first(judged)]
    return next((held_back[provider] for provider in providers if provider in held_back), None)


def _asked_first(judged: Judged) -> list[str]:
    """The operations of the calls that start with the bet, and that which its guess is bought from.

    Calls that were dropped from it ask nobody.
    """
    bought = [judged.bet.purchase.operation] if judged.bet.purchase else []
    stakes = [exposure.stake for exposure in judged.assessment.exposures]
    return [*bought, *(stake.operation for stake in stakes if stake.starts)]


def _unpriced(judged: Judged) -> str | None:
    purchase, assessment = judged.bet.purchase, judged.assessment
    if purchase and (purchase.cost_usd is None or purchase.worst_usd is None):
        return f"unpriced: no price known for {purchase.operation}"
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
    if not any(exposure.stake.starts for exposure in assessment.exposures):
        return "waits for a result"
    return None


def _unaffordable(assessment: Assessment, board: Board) -> str | None:
    return "budget" if (assessment.worst_usd or ZERO) > board.funds_usd else None


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

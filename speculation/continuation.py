"""Live bets, judged again: is it worth keeping what runs ahead?

The same inequality, with what is sunk left out (methods.md 5, streaming form): C' is what would
still be generated until the refutation, L' what would be lost by cutting now and running again in
turn. So a call that is nearly done, or already paid for in full, is kept; one that no longer saves
time, or that the operator's new dials forbid, is cut.
"""

from __future__ import annotations

from collections.abc import Sequence

from forerun.speculation.assessment import Placed
from forerun.speculation.bet import Bet
from forerun.speculation.decision import Decision, Judged, Situation, decision_of, judge
from forerun.speculation.rule import Verdict


def reconsider(situation: Situation, live: Sequence[Bet]) -> tuple[Decision, ...]:
    """The live bets to cut, each judged on top of those that are kept.

    A live bet's stakes hold what is left of its calls: milliseconds and output dollars.
    """
    cut: list[Decision] = []
    placed = list(situation.placed)
    for bet in live:
        others = [one for one in placed if not _belongs(one, bet)]
        judged = judge(bet, situation, others)
        reason = _loss(judged)
        if reason is not None:
            funds = situation.funds_usd
            cut.append(
                decision_of(judged, situation, verdict=Verdict.CUT, reason=reason, funds=funds)
            )
            placed = others
    return tuple(cut)


def _loss(judged: Judged) -> str | None:
    """Why keeping the bet no longer pays; None if it does, or if nothing more can be lost."""
    if not judged.assessment.cost_usd:
        return None
    if judged.assessment.saved_ms <= 0:
        return "saves no time any more"
    if judged.worth is not None and not judged.worth.pays:
        return "EV of what is left below threshold"
    return None


def _belongs(placed: Placed, bet: Bet) -> bool:
    """Whether cutting the bet takes it away: its calls, in every way they might be right."""
    return any(stake.fingerprint == placed.fingerprint for stake in bet.calls)

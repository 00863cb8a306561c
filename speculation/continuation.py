"""Live bets, judged again: is it worth keeping what runs ahead?

The same inequality, with what is sunk left out (methods.md 5, streaming form): C' is what would
still be generated until the refutation, L' what would be lost by cutting now and running again in
turn. So a call that is nearly done, or already paid for in full, is kept; one that no longer saves
time, or that the operator's new dials forbid, is cut.
"""

from __future__ import annotations

from collections.abc import Iterator

from forerun.speculation.bet import Bet
from forerun.speculation.board import Board
from forerun.speculation.decision import Decision, Judged, decision_of, judge
from forerun.speculation.rule import Verdict


def reconsider(board: Board) -> Iterator[Decision]:
    """The live bets to cut, each judged on top of those that are kept; they leave the board."""
    for bet in board.situation.live:
        cut = _cut(bet, board)
        if cut is not None:
            board.withdraw(exposure.stake.fingerprint for exposure in cut.calls)
            yield cut


def _cut(bet: Bet, board: Board) -> Decision | None:
    with board.without(call.fingerprint for call in bet.calls):
        judged = judge(bet, board)
        reason = _loss(judged)
        return decision_of(judged, board, Verdict.CUT, reason) if reason else None


def _loss(judged: Judged) -> str | None:
    """Why keeping the bet no longer pays; None if it does, or if nothing more can be lost."""
    if not judged.assessment.cost_usd:
        return None
    if judged.assessment.saved_ms <= 0:
        return "saves no time any more"
    if judged.worth is not None and not judged.worth.pays:
        return "EV of what is left below threshold"
    return None

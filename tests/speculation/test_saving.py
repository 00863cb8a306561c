"""L against brute force: every choice of a bet's calls, on small random DAGs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from hypothesis import given, settings

from forerun.speculation.assessment import assess
from forerun.speculation.bet import Bet, Stake
from forerun.speculation.board import Placed
from forerun.speculation.makespan import Network, forecast
from tests.speculation.random_bets import bets, board, laid_out
from tests.speculation.simulation import simulate


@settings(max_examples=60, deadline=None)
@given(bets())
def test_no_choice_of_calls_saves_more_and_none_smaller_as_much(
    case: tuple[Bet, Network, list[Placed]],
) -> None:
    """What is kept saves as much as the best of all choices, and loses some without any of it."""
    full, network, placed = case
    others = [p.ahead for p in placed]
    before_ms = forecast(network, others).makespan_ms

    def saved(calls: Sequence[Stake]) -> int:
        return before_ms - forecast(network, [*others, *laid_out(calls)]).makespan_ms

    found = assess(full, board(full, network, placed))
    kept = [exposure.stake for exposure in found.exposures]

    assert found.saved_ms == max(map(saved, closed(full.calls))) == saved(kept)
    if found.saved_ms:
        assert all(saved(some) < found.saved_ms for some in closed(kept) if len(some) < len(kept))
    everything = dict(network)
    aheads = [*others, *laid_out(kept)]
    assert simulate(everything, others) - simulate(everything, aheads) == found.saved_ms


def closed(calls: Sequence[Stake]) -> Iterator[Sequence[Stake]]:
    """Every choice of calls in which none waits for a call that is left out."""
    mine = {call.node for call in calls}
    for count in range(len(calls) + 1):
        for some in combinations(calls, count):
            chosen = {call.node for call in some}
            if all(mine.intersection(call.waits_for) <= chosen for call in some):
                yield some

"""Which calls of a bet are dropped: the fast pass against the plain one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from forerun.speculation.assessment import CALLS_PER_RECORD, Assessment, assess, paths, placed_by
from forerun.speculation.bet import Bet, Stake
from forerun.speculation.board import Placed
from forerun.speculation.makespan import Network, Step, forecast
from tests.speculation.random_bets import bets, board, costing, laid_out, on_root

D = Decimal


@settings(max_examples=200)
@given(bets())
def test_the_fast_pass_drops_what_the_plain_one_drops(
    case: tuple[Bet, Network, list[Placed]],
) -> None:
    """Following only the ends that move comes to the same as a whole forecast for every call."""
    full, network, placed = case
    on = board(full, network, placed)

    fast = assess(full, on)
    kept, saved_ms = plain(full, network, placed)

    assert [exposure.stake for exposure in fast.exposures] == kept
    assert fast.saved_ms == saved_ms
    without, with_bet = (sum(leg.ms for leg in path) for path in paths(full, fast, on))
    assert without - with_bet == saved_ms


@given(st.integers(2, 40), st.integers(1, 9), st.integers(0, 9))
def test_a_fan_out_that_only_the_whole_bet_shortens_is_kept_whole(
    leaves: int, ms: int, root_ms: int
) -> None:
    """Each leaf alone saves nothing, as the others take as long; together they save."""
    names = [f"n{i}" for i in range(leaves)]
    network = {"root": Step(upstream=(), ms=1 + root_ms, started=True)}
    network |= {name: Step(upstream=("root",), ms=ms) for name in names}

    found = judged(on_root(*(costing(name, ms, 1) for name in names)), network)

    assert found.dropped == ()
    assert found.saved_ms == min(ms, 1 + root_ms)


@given(st.lists(st.integers(1, 50), min_size=3, max_size=3))
def test_saving_equals_brute_force(durations: list[int]) -> None:
    """L is M(S) - M(S + bet) by definition; dropping calls never costs any of it."""
    root_ms, first_ms, last_ms = durations
    network = {
        "root": Step(upstream=(), ms=root_ms, started=True),
        "first": Step(upstream=("root",), ms=first_ms),
        "last": Step(upstream=("root", "first"), ms=last_ms),
    }
    full = on_root(costing("first", first_ms, 1), costing("last", last_ms, 1, "first"))
    aheads = laid_out(full.calls)
    best = max(
        forecast(network, []).makespan_ms - forecast(network, list(some)).makespan_ms
        for count in range(3)
        for some in combinations(aheads, count)
    )

    assert judged(full, network).saved_ms == best


def test_a_fan_out_too_wide_for_one_record_is_judged_whole() -> None:
    """The record names the calls of this round; L, C and R are those of all."""
    wide = 3 * CALLS_PER_RECORD
    names = [f"n{i}" for i in range(wide)]
    network = {"root": Step(upstream=(), ms=5, started=True)}
    network |= {name: Step(upstream=("root",), ms=9) for name in names}
    full = on_root(*(costing(name, 9, 1) for name in names))

    first = judged(full, network)
    rest = on_root(*full.calls[CALLS_PER_RECORD:])
    second = judged(rest, network, placed_by(full, first))

    assert [e.stake for e in first.exposures] == list(full.calls[:CALLS_PER_RECORD])
    assert (first.saved_ms, first.cost_usd, first.worst_usd) == (5, D(wide), D(wide))
    assert (second.saved_ms, second.cost_usd) == (5, D(wide - CALLS_PER_RECORD))
    assert second.later.calls == wide - 2 * CALLS_PER_RECORD


def judged(full: Bet, network: Network, placed: Sequence[Placed] = ()) -> Assessment:
    """The assessment of one bet."""
    return assess(full, board(full, network, placed))


def plain(full: Bet, network: Network, placed: Sequence[Placed]) -> tuple[list[Stake], int]:
    """The pass as design 1 words it, with a whole forecast for every call; what the bet saves."""
    others = [p.ahead for p in placed]
    without = forecast(network, others)
    kept = list(full.calls)
    best = forecast(network, [*others, *laid_out(kept)])
    saved_ms = without.makespan_ms - best.makespan_ms
    if not saved_ms:
        return kept, 0
    ends = without.ends
    dearest_first = sorted(kept, key=lambda s: (-at_risk(s, full, ends), key(s)))
    for call in dearest_first:
        if call in kept:
            fewer = less(kept, call)
            tried = forecast(network, [*others, *laid_out(fewer)])
            if tried.makespan_ms <= best.makespan_ms:
                kept, best = fewer, tried
    return kept, saved_ms


def key(call: Stake) -> tuple[str, str]:
    """Breaks ties between calls of one cost."""
    return call.fingerprint or "", call.node


def at_risk(call: Stake, full: Bet, ends: Mapping[str, int]) -> Decimal:
    """Its input, unless it would not begin before the refutation."""
    ahead = next(a for a in laid_out(full.calls) if a.node == call.node)
    if not call.launches and ahead.end_ms - call.ms >= ends["root"]:
        return D(0)
    return call.input_usd or D(0)


def less(kept: Sequence[Stake], gone: Stake) -> list[Stake]:
    """Without a call and all that waits for it."""
    lost = {gone.node}
    fewer: list[Stake] = []
    for call in kept:
        if call.node in lost or lost.intersection(call.waits_for):
            lost.add(call.node)
        else:
            fewer.append(call)
    return fewer

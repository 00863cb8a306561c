"""Bets on the root of small DAGs, drawn or put together, and how their calls follow each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from hypothesis import strategies as st

from forerun.speculation.bet import Bet, Stake
from forerun.speculation.board import Board, Placed, Situation
from forerun.speculation.makespan import Ahead, Network, Step
from forerun.speculation.policy import Policy
from tests.speculation.bets import assumption, stake

D = Decimal


def costing(node: str, ms: int, usd: int, *waits_for: str) -> Stake:
    """A call that costs so many dollars as soon as it begins."""
    call = stake(node, ms, usd=(str(usd), "0"), waits_for=waits_for)
    return replace(call, worst_usd=D(usd))


def on_root(*calls: Stake) -> Bet:
    """A bet on one guess for the root, as likely right as wrong."""
    guess = assumption("root", p="0.5")
    return Bet(question="?", assumptions=(guess,), conditions=(), calls=calls)


@st.composite
def bets(draw: st.DrawFn) -> tuple[Bet, Network, list[Placed]]:
    """A bet on the root of a small random DAG, beside other branches and placed speculations."""
    ms = st.integers(0, 12)
    network: dict[str, Step] = {
        "root": Step(upstream=(), ms=draw(ms), started=True),
        "other": Step(upstream=(), ms=draw(ms), started=True),
    }
    calls: list[Stake] = []
    placed: list[Placed] = []
    for i in range(draw(st.integers(1, 8))):
        name = f"n{i}"
        upstream = draw(st.sets(st.sampled_from(list(network)), min_size=1, max_size=3))
        order = tuple(n for n in network if n in upstream)
        network[name] = Step(upstream=order, ms=draw(ms))
        if draw(st.booleans()):
            mine = {call.node for call in calls}
            waits_for = tuple(n for n in order if n in mine)
            calls.append(costing(name, draw(ms), draw(st.integers(0, 3)), *waits_for))
        if draw(st.integers(0, 3)) == 0:
            assumed = draw(st.sampled_from(order))
            ahead = Ahead(node=name, ms=draw(ms), assumed=(assumed,))
            placed.append(Placed(fingerprint=name, guesses=(f"{assumed}@x",), ahead=ahead))
    return on_root(*calls), network, placed


def board(full: Bet, network: Network, placed: Sequence[Placed]) -> Board:
    """A decision about one bet."""
    return Board(
        Situation(
            at="",
            policy=Policy(),
            funds_usd=D(1),
            network=network,
            placed=tuple(placed),
            bets=(full,),
        )
    )


def laid_out(calls: Sequence[Stake]) -> list[Ahead]:
    """Each call after the results that it waits for."""
    found: list[Ahead] = []
    for call in calls:
        last: Ahead | None = None
        for node in call.waits_for:
            before = next((a for a in found if a.node == node), None)
            if before is not None and (last is None or before.end_ms > last.end_ms):
                last = before
        found.append(Ahead(node=call.node, ms=call.ms, assumed=("root",), after=last))
    return found

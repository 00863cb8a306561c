"""CPU time of one decision, by the shape and the size of the DAG.

Measured is the whole local activity `decide` as a worker runs it, without its way there and back:
pricing and estimating every call, reconsidering what is under way, judging every bet of a batch on
top of those placed before it, and sealing the records. A batch holds what the runtime would ask at
once. Each is asked again and again; nothing in the activity remembers it.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from benchmarks.house import House
from benchmarks.spread import percentile
from benchmarks.tables import table
from forerun.activities.decision_request import (
    BetView,
    CallView,
    DecideRequest,
    NodeView,
    Phase,
    SpeculationView,
)
from forerun.activities.decisions import Decisions
from forerun.activities.price_lookup import CancelPolicies
from forerun.activities.prices import PriceBook
from forerun.speculation.beliefs import stated
from forerun.speculation.bet import Assumption
from forerun.speculation.canonical import digest
from forerun.speculation.estimates import Work
from forerun.speculation.guess import GuessSource
from forerun.speculation.policy import Policy
from forerun.speculation.record import GENESIS

SIZES = (10, 100, 1_000)
ROUNDS = 25

LAYER = 5
BETS_PER_BATCH = 24
CALLS_PER_BATCH = 128
CALLS_PER_BET = 64
VARIANTS = 16
"""As many ways a survey keeps of each node: so far one guess reaches where every node has its own."""

AT = datetime(2026, 11, 21, tzinfo=UTC)
DIALS = Policy(usd_per_second=Decimal("0.05"), budget_usd=Decimal(100))

Dag = dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A DAG of so many nodes, with guesses for the first ones or for all of them.

    The ready calls of the first `ahead` bets are under way already.
    """

    dag: Callable[[int], Dag]
    guesses: int = 1
    all_guessed: bool = False
    ahead: int = 0
    operation: str = "openai:sim-mid"


def chain(size: int) -> Dag:
    return {f"n{i}": (f"n{i - 1}",) if i else () for i in range(size)}


def fan_out(size: int) -> Dag:
    return {f"n{i}": ("n0",) if i else () for i in range(size)}


def layers(size: int) -> Dag:
    """Layers of five; each node reads two of the layer before."""
    return {f"n{i}": _two_before(i) if i >= LAYER else () for i in range(size)}


SHAPES = {
    "chain": Shape(dag=chain),
    "chain, every node guessed": Shape(dag=chain, all_guessed=True),
    "chain, every node guessed, 100 calls ahead": Shape(dag=chain, all_guessed=True, ahead=100),
    "layers": Shape(dag=layers),
    "layers, every node guessed": Shape(dag=layers, all_guessed=True),
    "layers, every node guessed, 100 calls ahead": Shape(dag=layers, all_guessed=True, ahead=100),
    "fan-out": Shape(dag=fan_out),
    "fan-out, published prices": Shape(dag=fan_out, operation="openai:gpt-4o-mini"),
    "fan-out, 3 guesses": Shape(dag=fan_out, guesses=3),
}


async def measure(house: House) -> dict[str, Any]:
    """Milliseconds of CPU per decision: all shapes and sizes in turn, round by round."""
    decisions = Decisions(prices=PriceBook(), cancel_billing=CancelPolicies(), cards={})
    asked = {(name, size): request_of(SHAPES[name], size) for name in SHAPES for size in SIZES}
    taken: dict[tuple[str, int], list[float]] = {key: [] for key in asked}
    gc.freeze()  # else every collection goes through all these requests
    rounds = 3 if house.quick else ROUNDS
    for _ in range(rounds):
        for key, request in asked.items():
            taken[key].append(_cpu_ms(decisions, request))
    gc.unfreeze()
    shapes: dict[str, dict[str, Any]] = {name: {} for name in SHAPES}
    for (name, size), request in asked.items():
        shapes[name][str(size)] = {**_content(request), **_spread(taken[name, size])}
    return {"rounds": rounds, "shapes": shapes}


def markdown(figures: dict[str, Any]) -> str:
    """A shape per line, a size per column."""
    rows: list[list[object]] = []
    for name, by_size in figures["shapes"].items():
        largest = by_size[str(SIZES[-1])]
        times = [f"{one['p50_ms']} ({one['p95_ms']})" for one in by_size.values()]
        rows.append([name, largest["bets"], largest["calls"], *times])
    header = ["", "bets", "calls", *(f"{size:,} nodes" for size in SIZES)]
    said = "CPU milliseconds of the local activity `decide`, median and 95th percentile of"
    return f"# One decision\n\n{said} {figures['rounds']}:\n\n{table(header, rows)}"


def request_of(shape: Shape, size: int) -> DecideRequest:
    """What a run of this shape asks first, or once so many of its bets have been placed."""
    dag = shape.dag(size)
    bets = list(_bets(dag, shape))
    return DecideRequest(
        at=AT,
        policy=DIALS,
        funds_usd=DIALS.budget_usd,
        nodes={name: _node(name, dag, shape) for name in dag},
        placed=tuple(_under_way(bet) for bet in bets[: shape.ahead]),
        bets=tuple(_batch(bets[shape.ahead :])),
        held_back={},
        held=(),
        previous=GENESIS,
    )


def _two_before(i: int) -> tuple[str, ...]:
    first = (i // LAYER - 1) * LAYER
    return tuple(sorted({f"n{first + i % LAYER}", f"n{first + (i + 1) % LAYER}"}))


def _bets(dag: Dag, shape: Shape) -> Iterator[BetView]:
    """One for each guess of all that some node reads."""
    guessed = {name for name, upstream in dag.items() if shape.all_guessed or not upstream}
    for read in dict.fromkeys(dag.values()):
        if read and guessed.issuperset(read):
            for value in range(shape.guesses):
                yield _bet(dag, read, value, VARIANTS if shape.all_guessed else CALLS_PER_BET)


def _bet(dag: Dag, assumed: Sequence[str], value: int, most: int) -> BetView:
    """What reads only guesses is ready; what reads results of the bet too waits for them."""
    calls: dict[str, CallView] = {}
    for name, upstream in dag.items():
        waits_for = tuple(up for up in upstream if up in calls)
        possible = upstream and all(up in assumed or up in calls for up in upstream)
        if possible and (len(calls) < most or not waits_for):
            calls[name] = _call(name, value, waits_for)
    return BetView(
        question=f"{'&'.join(assumed)}={value}",
        assumptions=tuple(_assumption(name, value) for name in assumed),
        alternatives=(),
        conditions=(),
        calls=tuple(calls.values()),
        refused=(),
        skipped=(),
    )


def _call(name: str, value: int, waits_for: tuple[str, ...]) -> CallView:
    return CallView(
        node=name,
        fingerprint=None if waits_for else digest([name, value]),
        waits_for=waits_for,
        input_bytes=0 if waits_for else _bytes(name),
    )


def _assumption(name: str, value: int) -> Assumption:
    sha256 = digest(value)
    return Assumption(
        guess=f"{name}@{sha256[:12]}",
        node=name,
        label=f"{name}={value}",
        source=GuessSource.VALUE,
        value_sha256=sha256,
        belief=stated(Decimal("0.3")),
    )


def _node(name: str, dag: Dag, shape: Shape) -> NodeView:
    """Calls of different lengths, so that some of every bet save nothing and are dropped."""
    work = Work(operation=shape.operation, input_bytes=_bytes(name), max_output_tokens=500)
    phase = Phase.WAITING if dag[name] else Phase.RUNNING
    return NodeView(upstream=dag[name], work=work, phase=phase)


def _under_way(bet: BetView) -> SpeculationView:
    call = bet.calls[0]
    return SpeculationView(
        node=call.node,
        fingerprint=call.fingerprint or "",
        assumptions=bet.assumptions,
        done=False,
        elapsed_ms=500,
    )


def _batch(bets: Sequence[BetView]) -> Iterator[BetView]:
    calls = 0
    for bet in bets[:BETS_PER_BATCH]:
        calls += min(len(bet.calls), CALLS_PER_BET)
        if calls > CALLS_PER_BATCH:
            return
        yield bet


def _bytes(name: str) -> int:
    return 400 + int(name[1:]) * 7919 % 4000


def _cpu_ms(decisions: Decisions, request: DecideRequest) -> float:
    """The activity awaits nothing: one step runs it to its end."""
    began = time.thread_time()
    try:
        decisions.decide(request).send(None)
    except StopIteration:
        return 1000 * (time.thread_time() - began)
    raise AssertionError("a decision waits for something")


def _content(request: DecideRequest) -> dict[str, int]:
    return {"bets": len(request.bets), "calls": sum(len(bet.calls) for bet in request.bets)}


def _spread(taken: Sequence[float]) -> dict[str, float]:
    return {f"p{share}_ms": round(percentile(taken, share / 100), 2) for share in (50, 95)}

"""What speculation saves and what it costs: nine DAGs, four hit rates, three settings of the dial.

Every input is run in all arms at once, with and without speculation, so each figure is a ratio of
runs that shared the machine at that moment. The spec states the true hit rate. The arm `eager`
believes every guess whatever the truth: it shows from which hit rate on speculation pays at all.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import asdict, dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from temporalio.client import WorkflowHandle

from benchmarks.cases import Case, cases, foreseen
from benchmarks.house import ELASTIC, House
from benchmarks.load import Load
from benchmarks.oracle import best_makespan
from benchmarks.progress import Progress
from benchmarks.savings_figures import CONTROL, EAGER, Run, figures_of
from benchmarks.savings_report import markdown, plots
from benchmarks.shapes import SHAPES
from benchmarks.specs import Scale, rules, spec
from benchmarks.trace import Trace

__all__ = ["markdown", "measure", "plots"]

SCALE = Scale(tokens=8)
USD_PER_SECOND = Decimal("0.01")
"""Of full length; the default."""

INPUTS = 10
QUICK_INPUTS = 2
INPUTS_AT_ONCE = 6
RATES = (Fraction(3, 10), Fraction(5, 10), Fraction(7, 10), Fraction(9, 10))

ALPHAS = ("0", "0.5", "1")
EAGER_RATES = RATES[:3]
EAGER_BELIEF = Fraction(9, 10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One input of one shape, to be run in all arms."""

    shape: str
    rate: Fraction
    case: Case

    @property
    def arms(self) -> tuple[str, ...]:
        """Eagerness is tried where it may lose."""
        eager = (EAGER,) if self.rate in EAGER_RATES else ()
        return (CONTROL, *ALPHAS, *eager)

    def spec(self, arm: str) -> dict[str, Any]:
        """What is run in this arm."""
        if arm == CONTROL:
            policy = {"budget_usd": "0"}
        else:
            policy = {
                "alpha": "1" if arm == EAGER else arm,
                "usd_per_second": SCALE.usd_per_second(USD_PER_SECOND),
            }
        stated = EAGER_BELIEF if arm == EAGER else self.rate
        shape = SHAPES[self.shape]
        return spec(self.shape, shape, self.case, stated=stated, scale=SCALE, policy=policy)


async def measure(house: House) -> dict[str, Any]:
    """Every trial in every arm, in an order that a seed has shuffled."""
    await house.set_rules([r for name, shape in SHAPES.items() for r in rules(name, shape, SCALE)])
    trials = _trials(QUICK_INPUTS if house.quick else INPUTS)
    progress = Progress("savings", len(trials))
    room = asyncio.Semaphore(INPUTS_AT_ONCE)

    async def one(trial: Trial) -> list[Run]:
        async with room:
            runs = await _try(house, trial)
        progress.step()
        return runs

    async with house.workers(speculative_slots=ELASTIC), Load.watched() as load:
        tried = await asyncio.gather(*(one(trial) for trial in trials))
    runs = sorted((run for some in tried for run in some), key=_by_shape)
    return {
        "runs": len(runs),
        "inputs_per_cell": QUICK_INPUTS if house.quick else INPUTS,
        "runs_at_once": INPUTS_AT_ONCE * (1 + len(ALPHAS)),
        "scale": asdict(SCALE),
        "usd_per_second": str(USD_PER_SECOND),
        **figures_of(runs),
        "load": load.figures,
    }


def _trials(inputs: int) -> list[Trial]:
    trials = [
        Trial(shape=name, rate=rate, case=case)
        for name, shape in SHAPES.items()
        for rate in RATES
        for case in cases(shape, rate=rate, count=inputs, seed=f"{name}-{float(rate)}")
    ]
    random.Random(0).shuffle(trials)
    return trials


def _by_shape(run: Run) -> int:
    return list(SHAPES).index(run.shape)


async def _try(house: House, trial: Trial) -> list[Run]:
    """All arms of one input at once; the oracle knows the durations of the control run."""
    handles = {arm: await house.start(trial.spec(arm)) for arm in trial.arms}
    results = dict(zip(handles, await asyncio.gather(*map(_over, handles.values())), strict=True))
    control = results[CONTROL][1]
    shape = SHAPES[trial.shape]
    steps = foreseen(shape, trial.case, control.step_seconds(shape))
    return [
        Run(
            shape=trial.shape,
            rate=float(trial.rate),
            case=trial.case.id,
            arm=arm,
            seconds=trace.seconds,
            seconds_usd=trace.seconds * SCALE.seconds * float(USD_PER_SECOND),
            sequential_seconds=result["ledger"]["sequential_seconds"],
            plain_seconds=best_makespan(steps, ()),
            oracle_seconds=best_makespan(steps),
            placed_seconds=best_makespan(steps, trace.promoted),
            tokens=round(trace.tokens * SCALE.tokens),
            spent_usd=float(result["ledger"]["spent_usd"]) * SCALE.tokens,
            wasted_usd=float(result["ledger"]["wasted_usd"]) * SCALE.tokens,
            speculations=result["ledger"]["speculations"],
            held_though_right=trace.held_though_right,
        )
        for arm, (result, trace) in results.items()
    ]


async def _over(handle: WorkflowHandle[Any, Any]) -> tuple[dict[str, Any], Trace]:
    return await handle.result(), await Trace.of(handle)

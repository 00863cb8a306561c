"""What certain work loses to guesses where slots or the provider are scarce.

Every guess is wrong, so speculation can only be in the way: a run with it should take as long as one
without. Once with a saturated speculative lane, once with a provider that refuses more than so many
calls at a time. For comparison also with slots for everybody, and in the lane with right guesses.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from benchmarks.cases import Case, cases
from benchmarks.house import ELASTIC, House
from benchmarks.limiter import Limiter
from benchmarks.load import Load, told
from benchmarks.progress import Progress
from benchmarks.shapes import SHAPES
from benchmarks.specs import Scale, rules, spec
from benchmarks.spread import quartiles, ratio
from benchmarks.tables import change, table
from benchmarks.trace import Trace

GOAL = 0.10

SHAPE = "onboarding"
SCALE = Scale(seconds=2, tokens=8)
STATED = Fraction(7, 10)
INPUTS = 12
RUNS_AT_ONCE = 6
FEW_SLOTS = 2
CALLS_AT_ONCE = 9
"""Half as many again as there are runs: enough for what is certain, not for all guesses."""

ARMS = {"without": {"budget_usd": "0"}, "with": {"alpha": "1", "usd_per_second": "0.0025"}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Where runs meet: how many guesses are right, speculative slots, calls that the provider takes."""

    said: str
    right: Fraction = Fraction(0)
    slots: int = ELASTIC
    limit: int = 1_000_000


SCENES = {
    "free": Scene(said="slots for everybody, all guesses wrong"),
    "lane": Scene(said=f"{FEW_SLOTS} speculative slots, all guesses wrong", slots=FEW_SLOTS),
    "lane_right": Scene(
        said=f"{FEW_SLOTS} speculative slots, all guesses right", right=Fraction(1), slots=FEW_SLOTS
    ),
    "limit": Scene(
        said=f"{CALLS_AT_ONCE} calls at once, then 429; all guesses wrong", limit=CALLS_AT_ONCE
    ),
}


async def measure(house: House) -> dict[str, Any]:
    """Both arms in every scene."""
    await house.set_rules(rules(SHAPE, SHAPES[SHAPE], SCALE))
    progress = Progress("contention", len(SCENES) * len(ARMS))
    async with Load.watched() as load:
        scenes = {name: await _scene(house, scene, progress) for name, scene in SCENES.items()}
    return {"runs_at_once": RUNS_AT_ONCE, "scenes": scenes, "load": load.figures}


def markdown(figures: dict[str, Any]) -> str:
    """A line per scene."""
    rows = [
        [
            SCENES[name].said,
            f"{scene['without']['seconds']['median']:.2f} s",
            change(scene["time"]),
            f"{scene['without']['refused']} / {scene['with']['refused']}",
            ", ".join(f"{count} {ending}" for ending, count in scene["speculations"].items()),
        ]
        for name, scene in figures["scenes"].items()
    ]
    return "\n\n".join(
        [
            "# Certain work where slots or calls are scarce",
            f"Goal: within {GOAL:.0%}. `{SHAPE}`, {INPUTS} inputs, {RUNS_AT_ONCE} runs at once, all of "
            "one arm; stated p 0.7, α 1. Time is the sum over inputs against runs without "
            f"speculation in the same scene, [95 %]. {told(figures['load'])}",
            table(["scene", "without", "with, time", "429s without / with", "speculations"], rows),
        ]
    )


async def _scene(house: House, scene: Scene, progress: Progress) -> dict[str, Any]:
    inputs = 4 if house.quick else INPUTS
    some = cases(SHAPES[SHAPE], rate=scene.right, count=inputs, seed=f"contention-{scene.right}")
    arms = {arm: await _arm(house, scene, some, policy, progress) for arm, policy in ARMS.items()}
    pairs = list(zip(arms["with"].seconds, arms["without"].seconds, strict=True))
    return {
        **{
            name: {"seconds": quartiles(a.seconds), "refused": a.refused}
            for name, a in arms.items()
        },
        "time": ratio(pairs),
        "speculations": dict(arms["with"].endings),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """What came of one arm of a scene."""

    seconds: list[float]
    endings: Counter[str]
    refused: int


async def _arm(
    house: House, scene: Scene, some: list[Case], policy: dict[str, str], progress: Progress
) -> Arm:
    async with (
        Limiter.start(house.standin_url, limit=scene.limit) as limiter,
        house.workers(speculative_slots=scene.slots, model_url=limiter.url),
    ):
        runs = await _crowd(house, some, policy)
    progress.step()
    endings = Counter[str]()
    for _, ledger in runs:
        endings.update(ledger["speculations"])
    return Arm(
        seconds=[trace.seconds for trace, _ in runs], endings=endings, refused=limiter.refused
    )


async def _crowd(
    house: House, some: list[Case], policy: dict[str, str]
) -> list[tuple[Trace, dict[str, Any]]]:
    room = asyncio.Semaphore(RUNS_AT_ONCE)

    async def one(case: Case) -> tuple[Trace, dict[str, Any]]:
        async with room:
            shape = SHAPES[SHAPE]
            handle = await house.start(
                spec(SHAPE, shape, case, stated=STATED, scale=SCALE, policy=policy)
            )
            result = await handle.result()
        return await Trace.of(handle), result["ledger"]

    return await asyncio.gather(*(one(case) for case in some))

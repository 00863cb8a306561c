"""What forerun costs where nothing is speculated: against plain Temporal workflows of the same DAGs.

Latency at full length, both arms of an input at once; then runs per second with models and tools
that answer at once, so that nothing but machinery takes time, slice by slice in turn.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from temporalio.client import WorkflowHandle
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from benchmarks.cases import Case, cases
from benchmarks.house import House
from benchmarks.load import Load, cpu_seconds, told
from benchmarks.plain import QUEUE, WORKFLOWS
from benchmarks.progress import Progress
from benchmarks.shapes import SHAPES
from benchmarks.specs import Scale, filler, rules, spec, tool_seconds
from benchmarks.spread import quartiles, ratio
from benchmarks.tables import change, table
from benchmarks.trace import Trace

GOAL = 0.05

FULL_LENGTH = Scale(seconds=1, tokens=8)
INPUTS = 12
INPUTS_AT_ONCE = 6

AT_ONCE = Scale(seconds=1000, tokens=20)
SLICES = 6
RUNS_PER_SLICE = 40
RUNS_AT_ONCE = 20
BUSY_SHAPE = "router"

Start = Callable[[str, Case, Scale], Awaitable[WorkflowHandle[Any, Any]]]


async def measure(house: House) -> dict[str, Any]:
    """Latency and runs per second in both arms."""
    arms = {"forerun": _forerun(house), "plain": _plain(house)}
    async with house.workers(), _plain_worker(house), Load.watched() as load:
        latency = await _latency(house, arms)
        quiet = load.figures
    async with house.workers(), _plain_worker(house):
        rate = await _rate(house, arms)
    return {"latency": latency, "load": quiet, "rate": rate}


def markdown(figures: dict[str, Any]) -> str:
    """Both tables."""
    latency = [
        [
            name,
            f"{one['plain_seconds']:.2f} s",
            change(one["time"], places=1),
            f"{one['ms_per_step']['median']:.1f} [{one['ms_per_step']['q1']:.1f}, "
            f"{one['ms_per_step']['q3']:.1f}]",
            f"{one['events']} / {one['plain_events']}",
        ]
        for name, one in figures["latency"].items()
    ]
    rate = figures["rate"]
    names = {"runs_per_second": "runs per second", "worker_ms": "worker CPU ms per run"}
    names["server_ms"] = "server CPU ms per run"
    busy = [
        [said, f"{rate['forerun'][key]['median']:.1f}", f"{rate['plain'][key]['median']:.1f}"]
        for key, said in names.items()
        if rate["plain"][key] is not None
    ]
    return "\n\n".join(
        [
            "# Overhead without speculation",
            f"Goal: at most {GOAL:.0%}. Full-length latencies, {INPUTS} inputs per DAG, [95 %]. "
            f"{told(figures['load'])}",
            table(
                ["DAG", "plain Temporal", "forerun, time", "ms per step [IQR]", "events"], latency
            ),
            f"Saturated: `{BUSY_SHAPE}` with answers at once, {RUNS_AT_ONCE} runs in flight, medians "
            f"of {SLICES} slices. Runs per second against plain: {change(rate['ratio'])}.",
            table(["", "forerun", "plain Temporal"], busy),
        ]
    )


async def _latency(house: House, arms: dict[str, Start]) -> dict[str, Any]:
    inputs = 2 if house.quick else INPUTS
    await house.set_rules([r for name in WORKFLOWS for r in rules(name, SHAPES[name], FULL_LENGTH)])
    progress = Progress("overhead, latency", inputs * len(WORKFLOWS))
    room = asyncio.Semaphore(INPUTS_AT_ONCE)

    async def both(name: str, case: Case) -> dict[str, Trace]:
        async with room:
            handles = {arm: await start(name, case, FULL_LENGTH) for arm, start in arms.items()}
            await asyncio.gather(*(handle.result() for handle in handles.values()))
            progress.step()
            return {arm: await Trace.of(handle) for arm, handle in handles.items()}

    pairs = {name: [both(name, case) for case in _cases(name, inputs)] for name in WORKFLOWS}
    traces = await asyncio.gather(*(asyncio.gather(*some) for some in pairs.values()))
    return {name: _compared(SHAPES[name], some) for name, some in zip(pairs, traces, strict=True)}


def _compared(shape: Any, traces: list[dict[str, Trace]]) -> dict[str, Any]:
    pairs = [(each["forerun"].seconds, each["plain"].seconds) for each in traces]
    longest = _steps_in_a_row(shape)
    return {
        "inputs": len(traces),
        "plain_seconds": round(sum(plain for _, plain in pairs) / len(pairs), 3),
        "time": ratio(pairs, 4),
        "ms_per_step": quartiles([1000 * (ours - plain) / longest for ours, plain in pairs], 2),
        "events": traces[0]["forerun"].events,
        "plain_events": traces[0]["plain"].events,
    }


async def _rate(house: House, arms: dict[str, Start]) -> dict[str, Any]:
    """Slices of both arms in turn; the first of each warms up."""
    await house.set_rules(rules(BUSY_SHAPE, SHAPES[BUSY_SHAPE], AT_ONCE))
    slices = 1 if house.quick else SLICES
    progress = Progress("overhead, rate", 2 * (slices + 1))
    taken: dict[str, list[Slice]] = {arm: [] for arm in arms}
    for _ in range(slices + 1):
        for arm, start in arms.items():
            taken[arm].append(await _slice(house, start))
            progress.step()
    ours, plain = ([one.runs_per_second for one in taken[arm][1:]] for arm in ("forerun", "plain"))
    return {
        "ratio": ratio(list(zip(ours, plain, strict=True))),
        **{arm: _medians(some[1:]) for arm, some in taken.items()},
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """A burst of runs of one arm; processor time is that of one run, None where nobody tells."""

    runs_per_second: float
    worker_ms: float
    server_ms: float | None


async def _slice(house: House, start: Start) -> Slice:
    runs = 10 if house.quick else RUNS_PER_SLICE
    room = asyncio.Semaphore(RUNS_AT_ONCE)

    async def one(case: Case) -> None:
        async with room:
            await (await start(BUSY_SHAPE, case, AT_ONCE)).result()

    cpu, server_cpu = time.process_time(), cpu_seconds(house.server_pid)
    began = time.monotonic()
    await asyncio.gather(*(one(case) for case in _cases(BUSY_SHAPE, runs)))
    seconds = time.monotonic() - began
    server_now = cpu_seconds(house.server_pid)
    served = server_now - server_cpu if server_now and server_cpu else None
    return Slice(
        runs_per_second=runs / seconds,
        worker_ms=1000 * (time.process_time() - cpu) / runs,
        server_ms=None if served is None else 1000 * served / runs,
    )


def _medians(slices: list[Slice]) -> dict[str, Any]:
    server = [one.server_ms for one in slices if one.server_ms is not None]
    return {
        "runs_per_second": quartiles([one.runs_per_second for one in slices], 2),
        "worker_ms": quartiles([one.worker_ms for one in slices], 2),
        "server_ms": quartiles(server, 2) if server else None,
    }


def _cases(name: str, count: int) -> list[Case]:
    return cases(SHAPES[name], rate=Fraction(1), count=count, seed=f"{name}-overhead")


def _forerun(house: House) -> Start:
    async def start(name: str, case: Case, scale: Scale) -> WorkflowHandle[Any, Any]:
        policy = {"budget_usd": "0"}
        stated = Fraction(1, 2)
        return await house.start(
            spec(name, SHAPES[name], case, stated=stated, scale=scale, policy=policy)
        )

    return start


def _plain(house: House) -> Start:
    async def start(name: str, case: Case, scale: Scale) -> WorkflowHandle[Any, Any]:
        shape = SHAPES[name]
        ask = {
            **case.input,
            "seconds": tool_seconds(shape, case, scale),
            "texts": {step: filler(shape, step, scale) for step in shape},
            "tokens_scale": scale.tokens,
        }
        return await house.client.start_workflow(
            f"plain-{name}", ask, id=f"plain-{uuid.uuid4()}", task_queue=QUEUE, result_type=dict
        )

    return start


@asynccontextmanager
async def _plain_worker(house: House) -> AsyncGenerator[None]:
    passed = SandboxRestrictions.default.with_passthrough_modules("benchmarks")
    async with Worker(
        house.client,
        task_queue=QUEUE,
        workflows=list(WORKFLOWS.values()),
        workflow_runner=SandboxedWorkflowRunner(restrictions=passed),
        build_id="plain",
    ):
        yield


def _steps_in_a_row(shape: Any) -> int:
    """The longest chain of steps: what happens in between adds up along it."""
    depth: dict[str, int] = {}
    for name, step in shape.items():
        depth[name] = 1 + max((depth[up] for up in step.reads), default=0)
    return max(depth.values())

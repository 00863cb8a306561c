"""What a node costs in DAGs of 10 to 1,000 nodes: processor time, waiting and events.

Blocks of ten: a gate, and nine workers that read the gate and the worker before them. Every call
takes 200 ms. With speculation the gates are guessed, rightly, so that nine nodes of ten run ahead.
One run at a time, so that all processor time is its own.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from temporalio.client import WorkflowHandle

from benchmarks.house import ELASTIC, House
from benchmarks.load import cpu_seconds
from benchmarks.plots import COLOURS, figure
from benchmarks.progress import Progress
from benchmarks.spread import percentile
from benchmarks.tables import table
from benchmarks.trace import Trace

RUNS = {10: 6, 30: 4, 100: 3, 300: 1, 1000: 1}
WORKERS = 9
MOST_SECONDS = 150
"""A run that takes longer is ended, and it and all larger ones are shown as dashes."""
CALL_SECONDS = 0.2

POLICIES = {"without": {"budget_usd": "0"}, "with": {"alpha": "1"}}


async def measure(house: House) -> dict[str, Any]:
    """Per node: CPU of worker and server, seconds beside the calls, events."""
    sizes = [10, 100] if house.quick else list(RUNS)
    progress = Progress("scale", len(sizes) * len(POLICIES))
    figures: dict[str, Any] = {arm: {} for arm in POLICIES}
    async with house.workers(speculative_slots=ELASTIC):
        await _run(house, dag(10, POLICIES["with"]))  # warms up
        for size in sizes:
            for arm, policy in POLICIES.items():
                too_large = None in (one["seconds"] for one in figures[arm].values())
                count = 0 if too_large else RUNS[size]
                figures[arm][str(size)] = await _runs(house, dag(size, policy), count)
                progress.step()
    return figures


def markdown(figures: dict[str, Any]) -> str:
    """A table per arm."""
    header = ["nodes", *SAID.values()]
    parts = ["# Cost per node, by the size of the DAG"]
    for arm, said in (("without", "Without speculation"), ("with", "Nine nodes of ten run ahead")):
        rows = [
            [f"{int(size):,}", *(_shown(one[key]) for key in SAID)]
            for size, one in figures[arm].items()
        ]
        parts += [f"{said}:", table(header, rows)]
    return "\n\n".join(parts)


SAID = {
    "worker_ms": "worker CPU ms per node",
    "server_ms": "server CPU ms per node",
    "beside_ms": "ms beside the calls, per step in a row",
    "events": "events per node",
    "seconds": "seconds of the run",
    "ahead": "nodes run ahead",
}


def plots(figures: dict[str, Any]) -> dict[str, Any]:
    """CPU and events per node over the size."""
    drawn, axes = figure(1, 3)
    for axis, key in zip(axes.flat, ("worker_ms", "server_ms", "events"), strict=True):
        for (arm, by_size), colour in zip(
            ((arm, figures[arm]) for arm in POLICIES), COLOURS, strict=False
        ):
            known = {int(size): one[key] for size, one in by_size.items() if one[key] is not None}
            axis.plot(list(known), list(known.values()), "o-", color=colour, label=arm, ms=3)
        axis.set_xscale("log")
        axis.set_ylim(bottom=0)
        axis.set_title(SAID[key])
        axis.set_xlabel("nodes")
    axes[0][0].legend(title="speculation")
    return {"per_node": drawn}


def dag(size: int, policy: dict[str, str]) -> dict[str, Any]:
    """Blocks of a gate and nine workers; `size` is a multiple of ten."""
    nodes: dict[str, Any] = {}
    before: list[str] = []
    for block in range(size // (1 + WORKERS)):
        gate, workers = f"gate_{block}", [f"w_{block}_{i}" for i in range(WORKERS)]
        go = f"'go' if [{', '.join(before)}] else 'wait'" if before else "'go'"
        nodes[gate] = {**_echo(f"{{{{ {go} }}}}"), "guess": [_GO]}
        for i, worker in enumerate(workers):
            read = f" {{{{ {before[i]}[:8] }}}}" if before else ""
            nodes[worker] = _echo(f"{{{{ {gate} }}}}{read}")
        before = workers
    return {"version": 1, "policy": policy, "nodes": nodes}


_GO = {"from": "value", "value": "go", "p": 0.9}


def _echo(value: str) -> dict[str, Any]:
    return {"tool": "echo", "args": {"value": value, "seconds": CALL_SECONDS}}


async def _runs(house: House, spec: dict[str, Any], count: int) -> dict[str, float | None]:
    """Medians over `count` runs; nothing but unknowns without any, or if one of them is ended."""
    try:
        runs = [await _run(house, spec) for _ in range(count)]
    except TimeoutError:
        runs = []
    return _median(runs) if runs else dict.fromkeys(SAID)


async def _run(house: House, spec: dict[str, Any]) -> dict[str, float | None]:
    nodes = len(spec["nodes"])
    cpu, server_cpu = time.process_time(), cpu_seconds(house.server_pid)
    handle = await house.start(spec)
    result = await _result(handle)
    cpu = time.process_time() - cpu
    server_now = cpu_seconds(house.server_pid)
    trace = await Trace.of(handle)
    in_a_row = 2 * nodes // (1 + WORKERS)
    return {
        "worker_ms": 1000 * cpu / nodes,
        "server_ms": 1000 * (server_now - server_cpu) / nodes
        if server_now is not None and server_cpu is not None
        else None,
        "beside_ms": 1000 * (trace.seconds / in_a_row - CALL_SECONDS),
        "events": trace.events / nodes,
        "seconds": trace.seconds,
        "ahead": result["ledger"]["speculations"]["promoted"],
    }


async def _result(handle: WorkflowHandle[Any, Any]) -> dict[str, Any]:
    try:
        async with asyncio.timeout(MOST_SECONDS):
            return await handle.result()
    except TimeoutError:
        await handle.terminate("it takes too long")
        raise


def _median(runs: list[dict[str, float | None]]) -> dict[str, float | None]:
    columns = {key: [one[key] for one in runs] for key in runs[0]}
    return {
        key: None
        if None in column
        else round(percentile([c for c in column if c is not None], 0.5), 2)
        for key, column in columns.items()
    }


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:,g}"

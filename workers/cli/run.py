"""`forerun run`: start a run, follow it, print what came of it."""

from __future__ import annotations

import asyncio
import json
import sys
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live

from forerun.workers.cli.follow import Lines, Redrawn, Screen, follow
from forerun.workers.cli.links import print_link
from forerun.workers.cli.outcome import print_outcome
from forerun.workers.cli.process import complain
from forerun.workers.cli.runs import Run, RunFailed, start
from forerun.workers.cli.spec_file import read_spec
from forerun.workers.cli.surroundings import pages
from forerun.workers.connection import Server


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to run, and how."""

    spec: Path
    id: str | None = None
    policy: dict[str, str]
    as_json: bool = False


async def run_spec(server: Server, order: Order) -> int:
    """Run it; 0 if the run completed.

    Raises:
        CommandError: bad spec, id in use, or the run failed.
    """
    spec = read_spec(order.spec, order.policy)
    client = await server.connect()
    id = order.id or f"{order.spec.stem}-{uuid.uuid4().hex[:8]}"
    # Whatever is not the result goes to stderr, so that --json can be piped.
    console = Console(highlight=False, stderr=order.as_json)
    run = await start(client, spec, id=id, summary=_summary(spec))
    console.print(f"run {id}", style="bold")
    print_link(console, (await pages(client)).run(id))
    try:
        with screen(console, id) as shown:
            result = await follow(run, shown)
    except asyncio.CancelledError:
        _say_how_to_go_on(run)
        raise
    except RunFailed as failure:
        if failure.result is not None:
            _print(console, failure.result, as_json=order.as_json)
        raise
    _print(console, result, as_json=order.as_json)
    return 0


@contextmanager
def screen(console: Console, id: str) -> Generator[Screen]:
    """Where to show the progress of a run: a terminal is redrawn, anything else gets lines."""
    if not console.is_terminal:
        yield Lines(id, console)
        return
    with Live(console=console, auto_refresh=False) as live:
        yield Redrawn(id, live)


def _print(console: Console, result: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps(result, ensure_ascii=False) + "\n")
    else:
        print_outcome(console, result)


def _say_how_to_go_on(run: Run) -> None:
    complain(
        f"run {run.id} goes on without us: `forerun pending {run.id}` shows what it waits for, "
        f"`temporal workflow cancel -w {run.id}` ends it"
    )


def _summary(spec: dict[str, Any]) -> str:
    count = len(spec["nodes"])
    return f"{spec.get('workload') or 'agent DAG'} · {count} node{'s' if count > 1 else ''}"

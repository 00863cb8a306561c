"""`forerun demo`: the same example twice, without speculation and with it, and what that changed.

Everything is real but the models: server, workers, approvals, committed effects. It fails if the
two runs differ in anything but time and dollars.
"""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from forerun.workers import demo as example
from forerun.workers.cli.follow import follow
from forerun.workers.cli.links import Pages
from forerun.workers.cli.outcome import print_ledger, saving, spent
from forerun.workers.cli.process import CommandError
from forerun.workers.cli.run import screen
from forerun.workers.cli.runs import NoAnswer, Run, start
from forerun.workers.cli.servers import until_signal
from forerun.workers.cli.spec_file import read_spec
from forerun.workers.local import Layout, Local
from forerun.workers.settings import Settings

APPROVER = "demo"
LOOK_SECONDS = 0.05
NO_SPECULATION = {"budget_usd": "0"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A run of the example that is over."""

    title: str
    id: str
    result: dict[str, Any]


async def demo(settings: Settings, cli: Path, *, keep: bool) -> int:
    """Run the example twice; 0 if both runs did what they should.

    Raises:
        CommandError: they did not.
        Exception: a part did not start, or ended by itself (see `Local`).
    """
    console = Console(highlight=False)
    with tempfile.TemporaryDirectory(prefix="forerun-demo-") as folder:
        outbox = Path(folder) / "outbox.sqlite3"
        settings = replace(
            settings,
            outbox_url=f"sqlite:///{outbox}",
            drafts_url=f"sqlite:///{folder}/drafts.sqlite3",
        )
        console.print("starting Temporal, its UI, the stand-in models and the workers ...")
        async with Local.start(settings, Layout(cli=cli, rules=example.RULES)) as local:
            runs = await local.watched(_both(console, local))
            _compare(console, *runs)
            rows = _rows(outbox)
            console.print(f"outbox: {rows} rows, one for each run")
            _check(*runs, rows)
            pages = Pages(local.ui_url)
            for run in runs:
                console.print(Text(f"{run.title}: {pages.run(run.id)}"), soft_wrap=True)
            if keep:
                console.print("all of it stays up until Ctrl-C")
                return await until_signal(local.ended())
            console.print("`forerun demo --keep` leaves these pages up")
    return 0


async def _both(console: Console, local: Local) -> tuple[Finished, Finished]:
    await _warm_up(local)
    without = await _run(console, local, "without speculation", NO_SPECULATION)
    return without, await _run(console, local, "with speculation", {})


async def _warm_up(local: Local) -> None:
    """Reach every part once: what a cold start costs must not count for speculation."""
    models = ("openai:sim-small", "anthropic:sim-small")
    nodes: dict[str, Any] = {
        f"model_{i}": {"model": it, "prompt": "Hello"} for i, it in enumerate(models)
    }
    nodes["tool"] = {"tool": "kb.search", "args": {"topic": "hello"}}
    run = await start(local.client, {"version": 1, "nodes": nodes}, id="warm-up", summary="warm-up")
    await run.result(outage=lambda: None)


async def _run(console: Console, local: Local, title: str, policy: dict[str, str]) -> Finished:
    spec = read_spec(example.SPEC, policy)
    run = await start(local.client, spec, id=title.replace(" ", "-"), summary=title)
    console.print(Text(title, style="bold"))
    approving = asyncio.create_task(_approve_all(run))
    try:
        with screen(console, run.id) as shown:
            result = await follow(run, shown)
    finally:
        approving.cancel()
    return Finished(title=title, id=run.id, result=result)


async def _approve_all(run: Run) -> None:
    """Approve every intent as soon as it waits: people are not what is measured here."""
    answered: set[str] = set()
    while True:
        try:
            for waiting in await run.waiting():
                if waiting.intent not in answered:
                    approval = {"node": waiting.intent, "by": APPROVER, "digest": waiting.digest}
                    await run.send("approve", approval)
                    answered.add(waiting.intent)
        except NoAnswer:
            pass  # the run is not taken up yet
        await asyncio.sleep(LOOK_SECONDS)


def _compare(console: Console, without: Finished, ahead: Finished) -> None:
    print_ledger(console, ahead.result["ledger"])
    table = Table.grid(padding=(0, 2))
    for run in (without, ahead):
        ledger = run.result["ledger"]
        table.add_row(run.title, f"{ledger['seconds']:.2f} s", spent(ledger))
    console.print(table)
    before, after = (run.result["ledger"]["seconds"] for run in (without, ahead))
    saved = saving({"sequential_seconds": before, "saved_seconds": before - after})
    console.print(Text(saved, style="bold"))


def _rows(outbox: Path) -> int:
    with closing(sqlite3.connect(outbox)) as connection:
        return connection.execute("select count(*) from outbox").fetchone()[0]


def _check(without: Finished, ahead: Finished, rows: int) -> None:
    launched = [run.result["ledger"]["speculations"]["launched"] for run in (without, ahead)]
    problems = [
        (without.result["outputs"] != ahead.result["outputs"], "the outputs differ"),
        (launched[0] > 0, "the run without speculation speculated"),
        (launched[1] == 0, "the run with speculation launched nothing"),
        (rows != 2, f"{rows} effects were committed, not 2"),
    ]
    for failed, problem in problems:
        if failed:
            raise CommandError(f"the demo failed: {problem}")

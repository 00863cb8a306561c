"""Following a run until it ends, and showing where it stands: redrawn on a terminal, else by lines.

The display is made of queries and never decides anything: a run does not notice whether, or by how
many, it is followed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text
from typing_extensions import override

from forerun.speculation.canonical import canonical_json
from forerun.speculation.quantities import dollars, number
from forerun.workers.cli.outcome import endings
from forerun.workers.cli.printable import printable
from forerun.workers.cli.run_views import Progress, Waiting
from forerun.workers.cli.runs import NoAnswer, Run
from forerun.workflows.details import MARKS

REFRESH_SECONDS = 0.25
PATIENCE_SECONDS = 3.0
"""A run that has not been taken up by then has no worker; the user is told once."""

STYLES = {"done": "green", "running": "bold", "awaiting": "yellow", "failed": "red"}


class Screen(Protocol):
    """Where progress is shown."""

    def show(self, progress: Progress, waiting: Sequence[Waiting]) -> None:
        """Show where the run stands."""
        ...

    def note(self, line: str) -> None:
        """Show a line that stays."""
        ...


async def follow(run: Run, screen: Screen) -> dict[str, Any]:
    """The result of `run`, its progress shown meanwhile.

    Raises:
        RunFailed: it ended otherwise than completed.
    """
    outage = _Once(screen, "the Temporal server does not answer; still following ...")
    absent = _Once(
        screen, "no worker has taken the run up; start one with `forerun worker` or `up`"
    )
    began = time.monotonic()
    result = asyncio.create_task(run.result(outage.tell))
    try:
        while not result.done():
            progress = await _look(run, screen)
            if not (progress and progress.nodes) and time.monotonic() - began > PATIENCE_SECONDS:
                absent.tell()
            await asyncio.wait((result,), timeout=REFRESH_SECONDS)
        await _look(run, screen)  # the last changes are in no query before the end
        return result.result()
    finally:
        result.cancel()


async def _look(run: Run, screen: Screen) -> Progress | None:
    try:
        progress = await run.progress()
        gate = "awaiting" in progress.nodes.values()
        screen.show(progress, await run.waiting() if gate else [])
    except NoAnswer:
        return None
    return progress


@dataclass(slots=True)
class _Once:
    """A line that is shown at most once."""

    screen: Screen
    line: str
    told: bool = False

    def tell(self) -> None:
        if not self.told:
            self.screen.note(self.line)
        self.told = True


def approval_command(run: str, waiting: Waiting) -> str:
    """What to type to open a gate."""
    return f"forerun approve {run} {waiting.intent} --by YOU"


@dataclass(slots=True)
class Lines(Screen):
    """One line for each change: for files, pipes and logs."""

    run: str
    console: Console
    began: float = field(default_factory=time.monotonic)
    _seen: dict[str, object] = field(default_factory=dict[str, object])

    @override
    def show(self, progress: Progress, waiting: Sequence[Waiting]) -> None:
        for name, state in progress.nodes.items():
            if state != "waiting":
                self._say(name, state, f"{MARKS[state]} {name} {state}")
        for ahead in progress.ahead:
            words = f"{ahead.node} runs ahead, assuming {ahead.assuming}"
            self._say(words, True, f"⤷ {words}")
        if ended := endings(progress.speculations):
            self._say("speculations", ended, f"⤶ of those ahead: {ended}")
        for intent in waiting:
            self._say(f"gate {intent.intent}", intent.digest, f"✋ {_gate(self.run, intent)}")

    @override
    def note(self, line: str) -> None:
        self.console.print(Text(line), soft_wrap=True)

    def _say(self, key: str, value: object, words: str) -> None:
        if self._seen.get(key) != value:
            self._seen[key] = value
            self.note(f"{time.monotonic() - self.began:6.1f} s  {words}")


@dataclass(slots=True)
class Redrawn(Screen):
    """A table that is drawn anew at every look."""

    run: str
    live: Live
    began: float = field(default_factory=time.monotonic)

    @override
    def show(self, progress: Progress, waiting: Sequence[Waiting]) -> None:
        gates = [Text(f"✋ {_gate(self.run, intent)}", style="yellow") for intent in waiting]
        self.live.update(Group(self._nodes(progress), self._totals(progress), *gates), refresh=True)

    @override
    def note(self, line: str) -> None:
        self.live.console.print(Text(line))

    def _nodes(self, progress: Progress) -> Table:
        table = Table.grid(padding=(0, 2))
        for name, state in progress.nodes.items():
            ahead = [a for a in progress.ahead if a.node == name]
            table.add_row(
                Text(f"{MARKS[state]} {name}", style=STYLES.get(state, "")),
                Text("" if state == "waiting" and ahead else state),
                Text(", ".join(_ahead(a.running, a.assuming) for a in ahead), style="cyan"),
            )
        return table

    def _totals(self, progress: Progress) -> Text:
        spent, wasted = (dollars(number(d)) for d in (progress.spent_usd, progress.wasted_usd))
        live = sum(ahead.running for ahead in progress.ahead)
        seconds = time.monotonic() - self.began
        ended = endings(progress.speculations)
        words = f"{seconds:.1f} s · {spent} spent, {wasted} wasted · {live} running ahead"
        return Text(f"{words} · {ended}" if ended else words)


def _ahead(running: bool, assuming: str) -> str:
    return f"{'ahead' if running else 'done ahead'}, assuming {assuming}"


def _gate(run: str, waiting: Waiting) -> str:
    arguments = printable(canonical_json(waiting.arguments))
    shown = arguments if len(arguments) <= 200 else f"{arguments[:199]}…"
    return (
        f"{waiting.intent} waits for approval: {waiting.operation} {shown} "
        f"(digest {waiting.digest[:12]})\n  {approval_command(run, waiting)}"
    )

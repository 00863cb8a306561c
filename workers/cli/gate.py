"""`forerun pending`, `approve` and `reject`: the gate, seen and opened by people.

An approval names the digest of the arguments that were shown with it, so that what is committed is
what somebody saw. Only `--blind` sends one for an intent that does not wait yet.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.text import Text
from temporalio.client import Client
from temporalio.service import RPCError

from forerun.speculation.approvals import Answer, Malformed, parse_signal
from forerun.workers.cli.follow import approval_command
from forerun.workers.cli.links import print_link
from forerun.workers.cli.outcome import approximation
from forerun.workers.cli.printable import printable
from forerun.workers.cli.process import CommandError, complain
from forerun.workers.cli.run_views import Waiting
from forerun.workers.cli.runs import AWAITING, NoAnswer, Run, live_runs, runs
from forerun.workers.cli.surroundings import pages

SHOWN_SIGNALS = 5
"""Of each kind that decided nothing; the query has more of them."""

DECIDED = {"done", "declined", "failed", "stopped", "skipped"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What somebody says about an intent. `blind`: without having seen its arguments."""

    answer: Answer
    run: str
    intent: str
    by: str
    note: str | None = None
    blind: bool = False


async def show_pending(client: Client, id: str | None) -> int:
    """Show what waits for approval, in one run or in all; 1 if some run did not answer."""
    console, shown, silent = Console(highlight=False), 0, 0
    ui = await pages(client)
    async for run in _asked(client, id):
        try:
            for waiting in await run.waiting():
                _show(console, run.id, waiting)
                console.print(Text(f"  {approval_command(run.id, waiting)}"), soft_wrap=True)
                print_link(console, ui.run(run.id), indent=2)
                shown += 1
            if id is not None:
                _show_unheeded(console, await run.query("pending"))
        except NoAnswer as error:
            complain(str(error))
            silent += 1
    if not shown and not silent:
        console.print("nothing waits for approval")
    return 1 if silent else 0


async def decide(client: Client, verdict: Verdict) -> int:
    """Send `approve` or `reject`.

    Raises:
        CommandError: the intent does not wait, or the signal would not count.
    """
    run, console = Run(client, verdict.run), Console(highlight=False)
    payload = {"node": verdict.intent, "by": verdict.by}
    if verdict.note:
        payload["note"] = verdict.note
    if not verdict.blind:
        waiting = await _waiting(run, verdict.intent)
        _show(console, run.id, waiting)
        if verdict.answer == "approve":
            payload["digest"] = waiting.digest
    signal = parse_signal(verdict.answer, payload)
    if isinstance(signal, Malformed):
        raise CommandError(f"{verdict.answer}: {signal.reason}", code=2)
    await run.send(verdict.answer, payload)
    done = "approved" if verdict.answer == "approve" else "rejected"
    how = " blind, whatever it will be" if verdict.blind else ""
    console.print(Text(f"{done} {verdict.intent} of {run.id} by {verdict.by}{how}"))
    print_link(console, (await pages(client)).run(run.id))
    return 0


async def _asked(client: Client, id: str | None) -> AsyncGenerator[Run]:
    if id is not None:
        yield Run(client, id)
        return
    try:
        await client.count_workflows(AWAITING)
        query = AWAITING
    except RPCError:  # a namespace without our search attributes: ask every run
        query = await live_runs(client)
    async for run in runs(client, query):
        yield run


async def _waiting(run: Run, intent: str) -> Waiting:
    try:
        for waiting in await run.waiting(intent):
            return waiting
        others = sorted(waiting.intent for waiting in await run.waiting())
        raise CommandError(await _why_not(run, intent, others))
    except NoAnswer as error:
        if await run.status() != "running":
            raise CommandError(await _why_not(run, intent, [])) from error
        raise CommandError(str(error)) from error


async def _why_not(run: Run, intent: str, waiting: list[str]) -> str:
    status = await run.status()
    if status != "running":
        return f"run {run.id!r} is over ({status}): nothing waits for approval"
    state = (await run.progress()).nodes.get(intent.partition("[")[0])
    others = f"; what waits: {', '.join(waiting)}" if waiting else "; nothing waits"
    if state is None:
        return f"run {run.id!r} has no intent {intent!r:.80}{others}"
    if state in DECIDED:
        return f"{intent} of {run.id} is decided already: {state}{others}"
    return f"{intent} of {run.id} does not wait yet ({state}); --blind answers in advance{others}"


def _show(console: Console, run: str, waiting: Waiting) -> None:
    console.print(Text(f"{run}  {waiting.intent}", style="bold"), soft_wrap=True)
    arguments = printable(json.dumps(waiting.arguments, ensure_ascii=False, indent=2))
    console.print(Text(f"  {waiting.operation} {arguments}".replace("\n", "\n  ")), soft_wrap=True)
    since = datetime.fromtimestamp(waiting.since_ms / 1000).astimezone().isoformat(" ", "seconds")
    console.print(Text(f"  digest {waiting.digest}  since {since}"), soft_wrap=True)
    for made in waiting.approximations:
        console.print(Text(f"  approximate: {approximation(made)}"), soft_wrap=True)
    if waiting.approvals > 1:
        by = ", ".join(waiting.approved_by) or "nobody"
        words = f"  needs {waiting.approvals} people; approved by {by}"
        console.print(Text(printable(words)), soft_wrap=True)
    for signal in waiting.ignored:
        words = f"  {signal['signal']} by {signal['by']} did not count: {signal['why']}"
        console.print(Text(printable(words)), soft_wrap=True)
    if (more := waiting.ignored_count - len(waiting.ignored)) > 0:
        console.print(Text(f"  and {more} more that did not count"), soft_wrap=True)


def _show_unheeded(console: Console, pending: dict[str, Any]) -> None:
    """Signals that decided nothing, beside those that are shown with their intents."""
    for kind in ("early", "late", "malformed"):
        for signal in pending[kind][:SHOWN_SIGNALS]:
            about = signal.get("node") or signal["payload"]
            by = f" by {signal['by']}" if "by" in signal else ""
            why = f" ({signal['why']})" if "why" in signal else ""
            words = f"{kind}: {signal['signal']} {about}{by}{why}"
            console.print(Text(printable(words)), soft_wrap=True)
        if (more := pending[f"{kind}_count"] - SHOWN_SIGNALS) > 0:
            console.print(f"{kind}: and {more} more")

"""`forerun policy`: change the dials of live runs; a budget of 0 over a query is the stop switch."""

from __future__ import annotations

import asyncio

from rich.console import Console
from rich.text import Text
from temporalio.client import Client
from temporalio.exceptions import ApplicationError

from forerun.speculation.policy import Policy
from forerun.workers.cli.links import Pages, print_link
from forerun.workers.cli.process import CommandError, complain
from forerun.workers.cli.runs import NoAnswer, Run, live_runs, runs
from forerun.workers.cli.surroundings import pages
from forerun.workflows.policy_update import changed_policy

AT_ONCE = 20
"""Updates under way at the same time: a stop switch must not wait for one run that hangs."""


def check_changes(changes: dict[str, str]) -> None:
    """Refuse changes that every run would refuse.

    Raises:
        CommandError: nothing to change, or a value out of range.
    """
    if not changes:
        raise CommandError("nothing to change: give --alpha, --usd-per-second or --budget", code=2)
    try:
        changed_policy(Policy(), (changes,))
    except ApplicationError as error:
        raise CommandError(error.message.removeprefix("set_policy: "), code=2) from error


async def set_policies(
    client: Client, id: str | None, query: str | None, changes: dict[str, str]
) -> int:
    """Change one run, or all live runs that match a query; 1 if any of them was not changed."""
    targets = [Run(client, id)] if id else await _matching(client, query)
    if not targets:
        Console(highlight=False).print("no live run matches")
        return 0
    slots, ui = asyncio.Semaphore(AT_ONCE), await pages(client)
    changed = await asyncio.gather(*(_set_policy(run, changes, slots, ui) for run in targets))
    return 0 if all(changed) else 1


async def _matching(client: Client, query: str | None) -> list[Run]:
    live = await live_runs(client)
    return [run async for run in runs(client, f"({query}) AND {live}" if query else live)]


async def _set_policy(
    run: Run, changes: dict[str, str], slots: asyncio.Semaphore, ui: Pages
) -> bool:
    async with slots:
        try:
            policy = await run.set_policy(changes)
        except (CommandError, NoAnswer) as error:
            complain(str(error))
            return False
    words = ", ".join(f"{name} {value}" for name, value in policy.items())
    console = Console(highlight=False)
    console.print(Text(f"{run.id}: {words}"), soft_wrap=True)
    print_link(console, ui.run(run.id), indent=2)
    return True

"""Audits, run and printed: one in lines, many in a table."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text
from temporalio.client import Client, WorkflowHistory

from forerun.speculation.quantities import dollars
from forerun.workers.audit.auditor import WORKFLOWS, audit
from forerun.workers.audit.history import read_file
from forerun.workers.audit.report import Report
from forerun.workers.cli.histories import history_of, matching
from forerun.workers.cli.links import print_link
from forerun.workers.cli.printable import printable
from forerun.workers.cli.process import CommandError
from forerun.workers.cli.surroundings import modules, pages

PLACES = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """With which workflows to replay, and how to print."""

    workflows: Mapping[str, type]
    as_json: bool


def code_of(named: Sequence[str] | None) -> Mapping[str, type]:
    """The workflows that can be replayed: forerun's own, and those named as `module:Class`.

    Raises:
        CommandError: one of them is no workflow.
    """
    return {**WORKFLOWS, **dict(_workflow(name) for name in modules(named))}


async def audit_file(path: Path, form: Form) -> int:
    """Audit an exported history.

    Raises:
        NotAHistory: the file holds none.
    """
    return await _audit(read_file(path), form)


async def audit_run(client: Client, id: str, form: Form) -> int:
    """Audit the latest run of a workflow id."""
    link = (await pages(client)).run(id)
    return await _audit(await history_of(client, id), form, link)


async def audit_matching(client: Client, query: str, form: Form) -> int:
    """Audit every run that matches a query; 1 if any of them is not clean."""
    histories = matching(client, query, "auditing")
    reports = [await audit(history, form.workflows) async for history in histories]
    if form.as_json:
        print(json.dumps([report.as_json() for report in reports], indent=2))
    else:
        console = Console(highlight=False)
        _print_all(console, reports)
        print_link(console, (await pages(client)).matching(query))
    return 0 if all(report.clean for report in reports) else 1


async def _audit(history: WorkflowHistory, form: Form, link: str | None = None) -> int:
    report = await audit(history, form.workflows)
    if form.as_json:
        print(json.dumps(report.as_json(), indent=2))
    else:
        _print(Console(highlight=False), report, link)
    return 0 if report.clean else 1


def _workflow(name: str) -> tuple[str, type]:
    module, _, attribute = name.partition(":")
    try:
        found = getattr(import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise CommandError(
            f"--workflow {name!r:.80}: {error}; write module:Class", code=2
        ) from error
    definition = getattr(found, "__temporal_workflow_definition", None)
    if not isinstance(found, type) or definition is None:
        raise CommandError(f"--workflow {name!r:.80} has no @workflow.defn", code=2)
    return definition.name, found


def _print(console: Console, report: Report, link: str | None) -> None:
    checked = report.checked
    lines = [
        f"{report.workflow_id} · {report.workflow_type} · {report.status.replace('_', ' ')}",
        *([f"  {link}"] if link else []),
        f"  {_count(checked.events, 'event')}, {_count(checked.records, 'record')}: "
        f"{_count(checked.decisions, 'decision')}, {_count(checked.launches, 'launch')}, "
        f"{_count(checked.outcomes, 'outcome')}, {_count(checked.commits, 'commit')}",
        f"  {dollars(report.spent_usd, PLACES)} spent, "
        f"{dollars(report.wasted_usd, PLACES)} of it wasted",
        f"  replay {_replay(report)}",
        *(f"  {line}" for line in report.violations),
        _verdict(report),
    ]
    for line in lines:
        console.print(Text(printable(line)), soft_wrap=True)


def _print_all(console: Console, reports: Sequence[Report]) -> None:
    if not reports:
        console.print("no run matches")
        return
    table = Table("run", "status", "events", "launches", "spent", "wasted", "audit")
    for report in reports:
        table.add_row(
            Text(printable(report.workflow_id)),
            report.status.replace("_", " "),
            str(report.checked.events),
            str(report.checked.launches),
            dollars(report.spent_usd, PLACES),
            dollars(report.wasted_usd, PLACES),
            Text(_verdict(report)),
        )
    console.print(table)
    for report in reports:
        for line in report.violations:
            console.print(Text(printable(f"{report.workflow_id}: {line}")), soft_wrap=True)


def _replay(report: Report) -> str:
    """Why it failed is among the violations."""
    skipped = report.replay.state == "skipped"
    return f"skipped: {report.replay.why}" if skipped else report.replay.state


def _verdict(report: Report) -> str:
    words = _count(len(report.violations), "violation") if report.violations else "clean"
    unsettled = report.unsettled
    if unsettled is None:
        return words
    worst = dollars(unsettled.worst_usd, PLACES)
    under_way = _count(len(unsettled.speculations), "speculation")
    return f"{words}, unsettled: {under_way} of at most {worst}"


def _count(number: int, noun: str) -> str:
    plural = f"{noun}es" if noun.endswith("ch") else f"{noun}s"
    return f"{number} {noun if number == 1 else plural}"

"""What must hold of a pair of runs, and of every run by itself (design 6).

Everything is recomputed from the history: what the run says of itself is only compared with it.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from forerun.speculation.quantities import number
from tests.harness import Story, check_ledger
from tests.lossless.case import Case
from tests.lossless.ledgers import budget_problems, ledger_problems
from tests.lossless.told import Told


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run that is over: what it returned, what the world saw of it, and its history."""

    id: str
    result: dict[str, Any]
    failure: str | None
    story: Story
    rows: list[dict[str, Any]]
    requests: list[dict[str, Any]]


def differences(on: Run, off: Run) -> Iterator[str]:
    """Where two runs of one case, with speculation and without, do not come to the same."""
    for key in ("outputs", "skipped", "approximations"):
        if on.result[key] != off.result[key]:
            yield f"{key} differ: {_differing(on.result[key], off.result[key])}"
    if sorted(on.result["failed"]) != sorted(off.result["failed"]):
        yield f"failed differ: {on.result['failed']} != {off.result['failed']}"
    states = [{k: e["state"] for k, e in run.result["effects"].items()} for run in (on, off)]
    if states[0] != states[1]:
        yield f"effects differ: {_differing(*states)}"
    sent = [{row["intent"]: row["arguments"] for row in run.rows} for run in (on, off)]
    if sent[0] != sent[1]:
        yield f"outbox differs: {_differing(*sent)}"
    yield from _call_differences(Told(on.story), Told(off.story))


def _call_differences(on: Told, off: Told) -> Iterator[str]:
    """Each output came from the same call: the one on the actual arguments."""
    makers, controls = on.makers(), off.makers()
    if sorted(makers) != sorted(controls):
        yield f"nodes with a call differ: {sorted(makers)} != {sorted(controls)}"
    for node in makers.keys() & controls.keys():
        mine, theirs = makers[node], controls[node]
        if mine.asked != theirs.asked:
            yield f"{node}: {mine.id} was asked {mine.asked}, the control {theirs.asked}"


def _differing(one: Any, other: Any) -> str:
    if isinstance(one, dict) and isinstance(other, dict):
        keys = [k for k in {**one, **other} if one.get(k, "-") != other.get(k, "-")]
        return "; ".join(f"{k}: {one.get(k, '-')!r} != {other.get(k, '-')!r}" for k in keys)
    return f"{one!r} != {other!r}"


def violations(run: Run, case: Case) -> Iterator[str]:
    """What is wrong with one run, whatever the other did."""
    told = Told(run.story)
    yield from _asserted("Story.check", run.story.check)
    yield from _asserted("check_ledger", lambda: check_ledger(run.result["ledger"]))
    if run.result["last_record"] != run.story.records[-1]["sha256"]:
        yield "last_record is not the last record"
    yield from told.task_failures()
    yield from ledger_problems(told, run.result["ledger"])
    yield from budget_problems(told, number(case.spec["policy"]["budget_usd"]))
    yield from _effect_problems(run, told, case)
    yield from _guess_problems(run.story)


def _guess_problems(story: Story) -> Iterator[str]:
    """Each guess is tested once, and those that led to a promoted call were right."""
    tested: dict[str, bool] = {}
    for record in story.of_kind("guess"):
        if record["guess"] in tested:
            yield f"{record['guess']} is tested twice"
        tested[record["guess"]] = record["right"]
    for outcome in story.of_kind("outcome"):
        for guess in outcome["bet"].split(" & ") if outcome["outcome"] == "promoted" else ():
            if not tested.get(guess, True):
                yield f"{outcome['speculation']} is promoted, but {guess} was wrong"


def _asserted(name: str, check: Callable[[], None]) -> Iterator[str]:
    try:
        check()
    except AssertionError as error:
        line = traceback.extract_tb(error.__traceback__)[-1].line
        yield f"{name}: {line} {error}"


def _effect_problems(run: Run, told: Told, case: Case) -> Iterator[str]:
    effects = run.result["effects"]
    committed = sorted(
        intent for intent, effect in effects.items() if effect["state"] == "committed"
    )
    if sorted(row["intent"] for row in run.rows) != committed:
        yield f"rows {[row['intent'] for row in run.rows]}, committed {committed}"
    for intent, effect in effects.items():
        manner = case.manners[intent]
        if effect["state"] != manner.leads_to:
            yield f"{intent} is {effect['state']} although people meant {manner}"
    for intent, event_id in told.commits().items():
        if not any(name == intent and at < event_id for at, name in told.approvals()):
            yield f"{intent} committed at event {event_id} before any approval"
        for node in told.ancestors(case.spec, intent):
            maker = told.makers().get(node)
            if maker and not (maker.ended_at and maker.ended_at < event_id):
                yield f"{intent} committed at event {event_id} before {node} was certain"

"""What a run came to, compared with what its spec comes to in order.

The surprise: also a run that was cancelled or terminated has something to compare. It returns
nothing, but whatever it has committed must be what the spec asks for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from forerun.workers.audit.run import COMMIT
from tests.chaos.checks import Column, Ended, Problem
from tests.chaos.expected import Expected, expected
from tests.harness import check_ledger
from tests.lossless.case import Case
from tests.lossless.checks import differing

REFUSED = "HTTP 429|HTTP 500|broke off|finish reason|connection|on the provider's side"
"""What nodes fail of whose provider fails, and of nothing else."""

SILENT = "timeout|timed out"
"""What they fail of whose worker was killed, too."""

Result = dict[str, Any]


async def outcome_problems(ended: Ended) -> list[Problem]:
    """Outputs, skips, failures and effects are those of the spec run in order."""
    return [
        *_close_problems(ended),
        *await _argument_problems(ended),
        *_failed_commits(ended),
        *(await _result_problems(ended, ended.result) if ended.result else []),
    ]


def _close_problems(ended: Ended) -> Iterator[Problem]:
    """It ended in a way that a run may end in, for a reason that there was."""
    close = ended.told[-1].close
    if close.how not in ended.may_end:
        yield Column.BROKEN, f"it {close.how}"
    elif close.how in ("completed", "failed"):
        if close.result is None:
            yield Column.BROKEN, f"it {close.how} without a result: {close.message}"
        elif (close.how == "failed") != bool(close.result["failed"]):
            yield Column.BROKEN, f"it {close.how}, and {close.result['failed']} failed"


async def _argument_problems(ended: Ended) -> list[Problem]:
    """Whatever was written is what the spec asks for, in whichever run, and however that ended."""
    states = {intent: manner.leads_to for intent, manner in ended.case.manners.items()}
    should = await expected(ended.case, states | _states(ended.result), set())
    return [
        (Column.LEAKED, why)
        for row in ended.rows
        for why in differing(
            row["intent"], json.loads(row["arguments"]), should.arguments.get(row["intent"])
        )
    ]


def _failed_commits(ended: Ended) -> Iterator[Problem]:
    """Nothing that is injected here fails a commit for good: it is tried for long enough."""
    for run in ended.told:
        for call in run.calls:
            if call.type == COMMIT and call.end and call.end.how in ("failed", "timed_out"):
                yield Column.BROKEN, f"the commit of {call.node} {call.end.how}"


async def _result_problems(ended: Ended, result: Result) -> list[Problem]:
    states = _states(result)
    should = await expected(ended.case, states, set(result["failed"]))
    anyway = (await expected(ended.case, states, set())).failed
    return [
        *((Column.LEAKED, why) for why in _differences(result, should)),
        *((Column.LOST, why) for why in _misjudged(ended.case, states)),
        *_effect_problems(ended, result),
        *((Column.BROKEN, why) for why in _unexplained(ended, result["failed"], anyway)),
        *_ledger_problems(result["ledger"]),
    ]


def _states(result: Result | None) -> dict[str, str]:
    effects: Result = result["effects"] if result else {}
    return {intent: effect["state"] for intent, effect in effects.items()}


def _differences(result: Result, should: Expected) -> Iterator[str]:
    yield from differing("outputs", result["outputs"], should.outputs)
    yield from differing("skipped", set(result["skipped"]), should.skipped | should.stopped)
    yield from differing("failed", set(result["failed"]), should.failed)
    yield from differing("intents", set(_states(result)), set(should.arguments))
    yield from differing("approximations", result["approximations"], [])


def _misjudged(case: Case, states: dict[str, str]) -> Iterator[str]:
    """Intents that ended otherwise than people meant them to; one with a deadline may expire."""
    for intent, state in states.items():
        meant = case.manners[intent].leads_to
        node = case.spec["nodes"][intent.partition("[")[0]]
        late = state == "expired" and "approval_timeout_seconds" in node
        if state != meant and not late:
            yield f"{intent} is {state}, and people meant it to be {meant}"


def _effect_problems(ended: Ended, result: Result) -> Iterator[Problem]:
    """What is told as committed has its row, with that receipt; what is not has none."""
    rows = {row["intent"]: row for row in ended.rows}
    for intent, effect in result["effects"].items():
        row = rows.get(intent)
        if effect["state"] != "committed":
            if row:
                yield Column.UNAPPROVED, f"{intent} is {effect['state']}, and has the row {row}"
            continue
        told = {key: effect["receipt"][key] for key in ("key", "committed_at")}
        there = row and {"key": row["idempotency_key"], "committed_at": row["committed_at"]}
        if told != there:
            yield Column.LOST, f"{intent} is told as {told}, and its row as {there}"


def _unexplained(ended: Ended, failed: dict[str, str], anyway: set[str]) -> Iterator[str]:
    """Nodes that failed of nothing that was injected, of those whose call would have answered."""
    for node, why in failed.items():
        refused = ended.hardship.refuses(node) and re.search(f"{REFUSED}|{SILENT}", why)
        killed = ended.killed and re.search(SILENT, why)
        if node not in anyway and not (refused or killed):
            yield f"{node} failed: {why}"


def _ledger_problems(ledger: dict[str, Any]) -> Iterator[Problem]:
    try:
        check_ledger(ledger)
    except AssertionError:
        yield Column.LEDGER, f"{ledger}"

"""What must hold of a run after all that has befallen it, sorted into the columns of the report.

What a history says of itself is the audit's business. What is here is between the run, the rows
that others see, and what the spec comes to in order.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

from temporalio.client import WorkflowHistory

from forerun.activities.intent import CommitReceipt, CommitRequest
from forerun.speculation.approvals import Open
from forerun.speculation.canonical import digest
from forerun.workers.audit.auditor import audit
from forerun.workers.audit.laws.gates import gate_of
from forerun.workers.audit.reading import read_run
from forerun.workers.audit.run import COMMIT
from forerun.workers.audit.run import Run as Told
from tests.chaos.expected import expected
from tests.harness import Story, check_ledger
from tests.lossless.case import Case
from tests.lossless.checks import differing, task_failures


class Column(StrEnum):
    """What may be wrong."""

    DOUBLE = "double"
    LOST = "lost"
    UNAPPROVED = "unapproved"
    LEAKED = "leaked"
    LEDGER = "unbalanced ledger"
    AUDIT = "audit or replay"
    ORPHANED = "orphaned stages"
    HUNG = "hung"
    BROKEN = "broken"
    """Ended in no way that a run may end, or a process that died by itself."""


Problem = tuple[Column, str]

INJECTED = (
    "timeout|timed out|HTTP 429|HTTP 500|broke off|finish reason|connection|on the provider's side"
)
"""What nodes may fail of whose call would have answered: dead workers, and the provider."""


@dataclass(kw_only=True)
class Ended:
    """A workflow id that is over: all its runs, the last of which says what it came to.

    `rows` are its committed effects: of the outbox, and committed drafts. `may_end` is how its last
    run may have closed.
    """

    id: str
    case: Case
    histories: list[WorkflowHistory] = field(default_factory=list[WorkflowHistory])
    rows: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    may_end: set[str] = field(default_factory=lambda: {"completed", "failed"})

    @cached_property
    def told(self) -> list[Told]:
        """Its runs, as their histories tell them."""
        return [read_run(history)[0] for history in self.histories]


async def audited(history: WorkflowHistory) -> list[Problem]:
    """What a history by itself shows to be wrong."""
    report = await audit(history)
    found = [
        (Column.LEDGER if violation.check.endswith("_usd") else Column.AUDIT, str(violation))
        for violation in report.violations
    ]
    return [*found, *((Column.AUDIT, failure) for failure in task_failures(Story(history)))]


def row_problems(ended: Ended) -> Iterator[Problem]:
    """Rows are what commits have said that they wrote, and nothing that nobody approved."""
    rows: dict[str, dict[str, Any]] = {}
    for row in ended.rows:
        if row["intent"] in rows:
            yield Column.DOUBLE, f"two rows of {row['intent']}"
        rows[row["intent"]] = row
        if not any(_approved(run, row) for run in ended.told):
            yield Column.UNAPPROVED, f"a row of {row['intent']} that no approved commit wrote"
    for receipt in (receipt for run in ended.told for receipt in _receipts(run)):
        row = rows.get(receipt.intent)
        if row is None or not _same(receipt, row):
            yield Column.LOST, f"{receipt.intent} was committed, and its row is {row}"


async def outcome_problems(ended: Ended) -> list[Problem]:
    """Outputs, skips, failures and effects are those of the spec run in order."""
    last = ended.told[-1]
    if last.close.how not in ended.may_end:
        return [(Column.BROKEN, f"it {last.close.how}")]
    result = last.close.result
    if result is None:
        if last.close.how == "failed":
            return [(Column.BROKEN, _last_words(ended.histories[-1]))]
        return []
    states = {intent: effect["state"] for intent, effect in result["effects"].items()}
    failed = _failed_commits(last)
    should = await expected(ended.case, states, set(result["failed"]) | failed)
    anyway = (await expected(ended.case, states, failed)).failed
    brought_down = {node: why for node, why in result["failed"].items() if node not in anyway}
    found = [
        *differing("outputs", result["outputs"], should.outputs),
        *differing("skipped", set(result["skipped"]), should.skipped | should.stopped),
        *differing("failed", set(result["failed"]), should.failed),
        *differing("intents", set(states) | failed, set(should.arguments)),
    ]
    for row in ended.rows:
        if states.get(row["intent"]) == "committed":
            arguments = should.arguments.get(row["intent"])
            found += differing(row["intent"], json.loads(row["arguments"]), arguments)
    return [
        *((Column.LEAKED, why) for why in found),
        *((Column.LOST, why) for why in _misjudged(ended.case, states)),
        *((Column.BROKEN, why) for why in _unexplained(brought_down)),
        *_ledger(result["ledger"]),
    ]


def _approved(run: Told, row: dict[str, Any]) -> bool:
    """Whether a run asked for this row, with these arguments, when its gate was open."""
    for call in run.calls:
        asked = call.asked
        if isinstance(asked, CommitRequest) and asked.intent == row["intent"]:
            same = row["digest"] == asked.digest == digest(json.loads(row["arguments"]))
            gate = gate_of(run, asked, call.event_id)
            if same and isinstance(gate, Open) and gate.by == row["approved_by"]:
                return True
    return False


def _same(receipt: CommitReceipt, row: dict[str, Any]) -> bool:
    told = (receipt.digest, receipt.receipt["committed_at"], receipt.idempotency_key)
    return told == (row["digest"], row["committed_at"], row["idempotency_key"])


def _receipts(run: Told) -> Iterator[CommitReceipt]:
    for call in run.calls:
        if call.end is not None and isinstance(call.end.result, CommitReceipt):
            yield call.end.result


def _failed_commits(told: Told) -> set[str]:
    commits = (call for call in told.calls if call.type == COMMIT)
    return {call.node for call in commits if call.end and call.end.how != "completed"}


def _misjudged(case: Case, states: dict[str, str]) -> Iterator[str]:
    """Intents that ended otherwise than people meant them to; one with a deadline may expire."""
    for intent, state in states.items():
        meant = case.manners[intent].leads_to
        node = case.spec["nodes"][intent.partition("[")[0]]
        late = state == "expired" and "approval_timeout_seconds" in node
        if state != meant and not late:
            yield f"{intent} is {state}, and people meant it to be {meant}"


def _unexplained(brought_down: dict[str, str]) -> Iterator[str]:
    """Nodes that failed of nothing that is injected here."""
    for node, why in brought_down.items():
        if not re.search(INJECTED, why):
            yield f"{node} failed: {why}"


def _ledger(ledger: dict[str, Any]) -> Iterator[Problem]:
    try:
        check_ledger(ledger)
    except AssertionError:
        yield Column.LEDGER, f"{ledger}"


def _last_words(history: WorkflowHistory) -> str:
    failed = history.events[-1].workflow_execution_failed_event_attributes.failure
    return f"it failed: {failed.message or failed.cause.message}"

"""What must hold of a run after all that has befallen it, sorted into the columns of the report.

What a history says of itself is the audit's business. What is here is between the run, the rows
that others see, and what the spec comes to in order.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

from temporalio.client import WorkflowHistory

from forerun.activities.intent import CommitReceipt, CommitRequest, StageRequest
from forerun.speculation.approvals import Open
from forerun.speculation.canonical import digest
from forerun.workers.audit.auditor import audit
from forerun.workers.audit.laws.gates import gate_of
from forerun.workers.audit.reading import read_run
from forerun.workers.audit.run import SETTLED
from forerun.workers.audit.run import Run as Told
from tests.chaos.generator import Hardship
from tests.harness import Story
from tests.lossless.case import Case
from tests.lossless.checks import task_failures


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
Row = dict[str, Any]

CHAOS = "chaos"
"""The reason that the harness gives where it terminates or resets a run; a server has others."""


@dataclass(kw_only=True)
class Ended:
    """A workflow id that is over: all its runs, the last of which says what it came to.

    `rows` are its committed effects: of the outbox, and committed drafts. `staged` are the drafts
    that were staged when it had just closed. `killed`: some process was, while it lived.
    """

    id: str
    hardship: Hardship
    histories: list[WorkflowHistory] = field(default_factory=list[WorkflowHistory])
    rows: list[Row] = field(default_factory=list[Row])
    staged: list[Row] = field(default_factory=list[Row])
    killed: bool = False

    @property
    def case(self) -> Case:
        return self.hardship.case

    @cached_property
    def told(self) -> list[Told]:
        """Its runs, as their histories tell them."""
        return [read_run(history)[0] for history in self.histories]

    @property
    def result(self) -> dict[str, Any] | None:
        """What the last of them returned, or failed with."""
        return self.told[-1].close.result

    @property
    def may_end(self) -> set[str]:
        """How the last run may have closed: otherwise than by itself only if it was asked to."""
        asked = {"canceled"} if any(map(_asks_to_cancel, self.histories[-1].events)) else set[str]()
        last = self.histories[-1].events[-1].workflow_execution_terminated_event_attributes
        return {"completed", "failed", *asked, *({"terminated"} if last.reason == CHAOS else ())}


async def audited(history: WorkflowHistory) -> list[Problem]:
    """What a history by itself shows to be wrong."""
    report = await audit(history)
    found = [
        (Column.LEDGER if violation.check.endswith("_usd") else Column.AUDIT, str(violation))
        for violation in report.violations
    ]
    if report.status in SETTLED and report.replay.state == "skipped":
        found.append((Column.AUDIT, f"not replayed: {report.replay.why}"))
    return [*found, *((Column.AUDIT, failure) for failure in task_failures(Story(history)))]


def row_problems(ended: Ended) -> Iterator[Problem]:
    """Rows are what commits have said that they wrote, and nothing that nobody approved."""
    rows: dict[str, Row] = {}
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


def stage_problems(ended: Ended) -> Iterator[Problem]:
    """A run that comes to its end by itself leaves nothing staged.

    What a run that was reset leaves is for a sweep, unless the run that came after it asked for it.
    """
    last, lone = ended.told[-1], len(ended.told) == 1
    if not last.settled:
        return
    asked = {
        (call.asked.intent, call.asked.digest)
        for call in last.calls
        if isinstance(call.asked, StageRequest)
    }
    for row in ended.staged:
        if lone or (row["intent"], row["digest"]) in asked:
            yield Column.ORPHANED, f"closed, and left a draft of {row['intent']} staged"


def _approved(run: Told, row: Row) -> bool:
    """Whether a run asked for this row, with these arguments, when its gate was open."""
    for call in run.calls:
        asked = call.asked
        if isinstance(asked, CommitRequest) and asked.intent == row["intent"]:
            same = row["digest"] == asked.digest == digest(json.loads(row["arguments"]))
            gate = gate_of(run, asked, call.event_id)
            if same and isinstance(gate, Open) and gate.by == row["approved_by"]:
                return True
    return False


def _same(receipt: CommitReceipt, row: Row) -> bool:
    told = (receipt.digest, receipt.receipt["committed_at"], receipt.idempotency_key)
    return told == (row["digest"], row["committed_at"], row["idempotency_key"])


def _receipts(run: Told) -> Iterator[CommitReceipt]:
    for call in run.calls:
        if call.end is not None and isinstance(call.end.result, CommitReceipt):
            yield call.end.result


def _asks_to_cancel(event: Any) -> bool:
    return event.HasField("workflow_execution_cancel_requested_event_attributes")

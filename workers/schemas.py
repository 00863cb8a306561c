"""JSON Schemas of all that crosses forerun's border: specs, results, queries, records, audits.

The shapes of results and queries are written down here and not where they are made, because they
are a promise to others: a test holds what the workflow returns against them.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import TypeAdapter, WithJsonSchema
from typing_extensions import TypedDict

from forerun.workers.audit.records import RECORDS
from forerun.workers.audit.report import report_schema
from forerun.workflows.run_state import NodeState
from forerun.workflows.spec import spec_schema

__all__ = ["Ledger", "Pending", "Progress", "Result", "all_schemas", "spec_schema"]

Usd = Annotated[str, WithJsonSchema({"type": "string", "pattern": r"^-?\d+(\.\d+)?$"})]


class Speculations(TypedDict):
    """How many were launched, and what became of them."""

    launched: int
    promoted: int
    discarded: int
    cut: int
    failed: int


class Ledger(TypedDict):
    """Dollars and seconds. `spent_usd` is the sum of the four below it."""

    spent_usd: Usd
    authoritative_usd: Usd
    promoted_usd: Usd
    wasted_usd: Usd
    guess_usd: Usd
    unpriced_calls: int
    seconds: float
    sequential_seconds: float
    saved_seconds: float
    speculations: Speculations


class Effect(TypedDict):
    """What became of an intent."""

    state: Literal["committed", "rejected", "expired"]
    by: str | None
    receipt: Any


class ApproximationView(TypedDict):
    """The output of `node` is that of a call with a guess in the place of `upstream`'s output."""

    node: str
    upstream: str
    guess: str
    label: str
    tier: Literal[2, 3]
    by: str


class Result(TypedDict):
    """The result of AgentDag."""

    outputs: dict[str, Any]
    skipped: list[str]
    failed: dict[str, str]
    effects: dict[str, Effect]
    approximations: list[ApproximationView]
    last_record: str
    ledger: Ledger


class AheadView(TypedDict):
    """A speculation that is not settled."""

    node: str
    assuming: str
    running: bool


class Progress(Ledger):
    """The query `ledger`; empty until the run has been taken up."""

    nodes: dict[str, NodeState]
    ahead: list[AheadView]


class IgnoredSignal(TypedDict):
    """A signal for this intent that decided nothing."""

    signal: str
    by: str
    why: str


class WaitingIntent(TypedDict):
    """An intent at its gate, which `approvals` people must open. `since_ms` are Unix milliseconds."""

    intent: str
    operation: str
    arguments: dict[str, Any]
    digest: str
    approval: str
    approximations: list[ApproximationView]
    approvals: int
    approved_by: list[str]
    effect: str
    since_ms: int
    ignored: list[IgnoredSignal]
    ignored_count: int


class EarlySignal(TypedDict):
    """A signal for an intent that does not wait, or not yet."""

    signal: str
    node: str
    by: str


class LateSignal(EarlySignal):
    """A signal for an intent that was decided already, or that decided nothing about it."""

    why: str


class MalformedSignal(TypedDict):
    """A signal that does not parse."""

    signal: str
    payload: str
    why: str


class Pending(TypedDict):
    """The query `pending`. Of many signals only the first are shown; the counts are of all."""

    intents: list[WaitingIntent]
    early: list[EarlySignal]
    early_count: int
    late: list[LateSignal]
    late_count: int
    malformed: list[MalformedSignal]
    malformed_count: int
    checkpoints_ignored: int


def all_schemas() -> dict[str, Any]:
    """All of them, by name."""
    return {
        "spec": spec_schema(),
        "result": _schema(Result),
        "queries": {"ledger": _schema(Progress), "pending": _schema(Pending)},
        "records": {kind: _record(shape) for kind, shape in RECORDS.items()},
        "audit": report_schema(),
    }


def _schema(shape: Any) -> dict[str, Any]:
    return TypeAdapter(shape).json_schema(mode="serialization")


def _record(shape: Any) -> dict[str, Any]:
    """A record: the fields of its dataclass, and the two that chain it."""
    schema = _schema(shape)
    seal = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
    schema["properties"] |= {"previous": seal, "sha256": seal}
    schema["required"] = sorted({*schema["properties"]})
    return schema

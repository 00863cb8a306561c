"""What an audit says of one run: counts of what was checked, what is unsettled, what is violated."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from pydantic import TypeAdapter

from forerun.workers.audit.run import HowClosed
from forerun.workers.audit.violation import Violation


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsettled:
    """What a run that did not end by itself, or is still open, had under way.

    `worst_usd` is what its speculations, guesses being bought included, can have cost at most;
    `calls` are all others whose end is not in the history.
    """

    speculations: tuple[str, ...]
    calls: tuple[str, ...]
    worst_usd: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """How much there was to check."""

    events: int
    records: int
    decisions: int
    launches: int
    outcomes: int
    commits: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """Whether the code of today gives the history; `why` if it does not, or was not asked."""

    state: Literal["passed", "failed", "skipped"]
    why: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One run's audit. Dollars are summed up again from its calls, and not taken from its result."""

    workflow_id: str
    run_id: str
    workflow_type: str
    status: HowClosed
    checked: Checked
    replay: Replay
    spent_usd: Decimal
    wasted_usd: Decimal
    unsettled: Unsettled | None
    violations: tuple[Violation, ...]

    @property
    def clean(self) -> bool:
        """Whether nothing is violated; an unsettled run may well be clean."""
        return not self.violations

    def as_json(self) -> dict[str, Any]:
        """For machines: dollars as strings."""
        return {"clean": self.clean, **_REPORT.dump_python(self, mode="json")}


def report_schema() -> dict[str, Any]:
    """The JSON Schema of `as_json`."""
    schema = _REPORT.json_schema(mode="serialization")
    schema["properties"] = {"clean": {"type": "boolean"}, **schema["properties"]}
    schema["required"] = ["clean", *schema["required"]]
    return schema


_REPORT = TypeAdapter(Report)

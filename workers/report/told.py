"""What the result of a run says of it, as far as it can be read: it may be anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from forerun.workers.audit.laws.ledger import is_number
from forerun.workers.audit.payloads import object_of
from forerun.workers.audit.run import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Seconds, without waits for people; None where nothing was told."""

    took: float | None = None
    sequential: float | None = None
    saved: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What of a result a report uses; all of it is empty where there is no result."""

    skipped: frozenset[str]
    failed: Mapping[str, str]
    effects: Mapping[str, Mapping[str, Any]]
    approximations: tuple[Mapping[str, Any], ...]
    timing: Timing


def told(run: Run) -> Told:
    """What the result of a run says."""
    result = run.close.result or {}
    ledger = object_of(result.get("ledger"))
    names = ("seconds", "sequential_seconds", "saved_seconds")
    took, sequential, saved = (_number(ledger.get(name)) for name in names)
    return Told(
        skipped=frozenset(name for name in _list(result.get("skipped")) if isinstance(name, str)),
        failed={node: str(why) for node, why in object_of(result.get("failed")).items()},
        effects={name: object_of(end) for name, end in object_of(result.get("effects")).items()},
        approximations=tuple(map(object_of, _list(result.get("approximations")))),
        timing=Timing(took=took, sequential=sequential, saved=saved),
    )


def _list(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []


def _number(value: Any) -> float | None:
    return float(value) if is_number(value) else None

"""Moments on a lane: answers of people, and what a call told before it ended."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from forerun.activities.checkpoints import CHECKPOINT
from forerun.speculation.canonical import canonical_json
from forerun.workers.audit.laws.gates import answers
from forerun.workers.audit.payloads import object_of
from forerun.workers.audit.run import Run

LABEL_LENGTH = 60
SIGNS = {"✓": "approved", "✗": "rejected", "◆": "streamed before its end"}
"""What a mark looks like, and what that means."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A moment: an approval, or a value that was told before its call ended."""

    at_ms: int
    sign: str
    words: str


def marks_of(run: Run) -> dict[str, list[Mark]]:
    """By node or intent, whether there is such a one or not."""
    found: dict[str, list[Mark]] = {}
    for node, mark in (*_answers(run), *_told(run)):
        found.setdefault(node, []).append(mark)
    return found


def _answers(run: Run) -> Iterator[tuple[str, Mark]]:
    for event_id, answer in answers(run):
        sign = "✓" if answer.answer == "approve" else "✗"
        at = run.times.get(event_id, 0) - run.began_ms
        yield answer.intent, Mark(at_ms=at, sign=sign, words=f"{SIGNS[sign]} by {answer.by}")


def _told(run: Run) -> Iterator[tuple[str, Mark]]:
    """Values that calls told while they streamed."""
    nodes = {call.id: call.node for call in run.calls}
    for signal in run.signals:
        told: dict[str, Any] = object_of(signal.payload)
        call = told.get("call")
        if signal.name == CHECKPOINT and "value" in told and isinstance(call, str):
            at = run.times.get(signal.event_id, 0) - run.began_ms
            value = _short(told["value"])
            yield nodes.get(call, ""), Mark(at_ms=at, sign="◆", words=f"streamed {value}")


def _short(value: Any) -> str:
    try:
        words = canonical_json(value)
    except ValueError:  # a number that JSON cannot hold
        words = repr(value)
    return words if len(words) <= LABEL_LENGTH else f"{words[: LABEL_LENGTH - 1]}…"

"""Who ran when: one lane per node, with everything that was started for it and what became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from forerun.speculation.record import Bought, Outcome
from forerun.workers.audit.billed import ended_bill
from forerun.workers.audit.run import COMMIT, COMPARE, Call, Run
from forerun.workers.report.figures import milliseconds, usd
from forerun.workers.report.marks import Mark, marks_of
from forerun.workers.report.told import told


class Kind(StrEnum):
    """What a span shows; a speculation is called by its outcome."""

    AUTHORITATIVE = "authoritative"
    PROMOTED = "promoted"
    DISCARDED = "discarded"
    CUT = "cut"
    FAILED = "failed"
    GUESS = "guess"
    COMPARED = "compared"
    GATE = "gate"
    COMMIT = "commit"
    OPEN = "open"

    @property
    def letter(self) -> str:
        """A sign that needs no colour."""
        return _LETTERS[self]

    @property
    def words(self) -> str:
        """What the legend says of it."""
        return _WORDS[self]


_LETTERS = {
    Kind.AUTHORITATIVE: "A",
    Kind.PROMOTED: "P",
    Kind.DISCARDED: "D",
    Kind.CUT: "C",
    Kind.FAILED: "F",
    Kind.GUESS: "G",
    Kind.COMPARED: "E",
    Kind.GATE: "W",
    Kind.COMMIT: "X",
    Kind.OPEN: "?",
}
_WORDS = {
    Kind.AUTHORITATIVE: "authoritative call",
    Kind.PROMOTED: "speculation, promoted",
    Kind.DISCARDED: "speculation, done and discarded (wasted)",
    Kind.CUT: "speculation, cut while it ran (wasted)",
    Kind.FAILED: "failed",
    Kind.GUESS: "guess bought from a cheaper model",
    Kind.COMPARED: "guess compared with the answer",
    Kind.GATE: "waiting for people",
    Kind.COMMIT: "effect committed",
    Kind.OPEN: "end not in the history",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One stretch of a lane, in milliseconds since the run began.

    It was asked for at `begin_ms`, and ran from `begun_ms` on; `row` keeps those that overlap apart.
    """

    kind: Kind
    begin_ms: int
    begun_ms: int
    end_ms: int
    words: str
    row: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """A node or an item of one. `state` says what became of it, where no span does."""

    node: str
    spans: tuple[Span, ...] = ()
    marks: tuple[Mark, ...] = ()
    state: str = ""
    rows: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "rows", max((span.row for span in self.spans), default=0) + 1)


def lanes(run: Run, gates: Sequence[tuple[str, Span]]) -> list[Lane]:
    """The lanes in the order of the graph; `gates` are the waits for people, by intent."""
    spans: dict[str, list[Span]] = {name: [] for name in run.graph.nodes} if run.graph else {}
    outcomes = outcomes_of(run)
    for call in run.calls:
        if call.asked is not None:
            spans.setdefault(call.node, []).append(_span(run, call, outcomes.get(call.id)))
    for intent, span in gates:
        spans.setdefault(intent, []).append(span)
    marks = marks_of(run)
    return [
        Lane(
            node=node,
            spans=_apart(spans[node]),
            marks=tuple(marks.get(node, ())),
            state="" if spans[node] else _state(run, node),
        )
        for node in _in_order(run, spans)
    ]


def outcomes_of(run: Run) -> dict[str, Outcome | Bought]:
    """What became of speculations and bought guesses, by the ids of their calls."""
    found: dict[str, Outcome | Bought] = {o.speculation: o for _, o in run.of(Outcome)}
    return found | {bought.purchase: bought for _, bought in run.of(Bought)}


def _span(run: Run, call: Call, outcome: Outcome | Bought | None) -> Span:
    began = run.began_ms
    end = call.end.at_ms if call.end else run.ended_ms
    begun = call.begun_ms if call.begun_ms is not None else (end if call.end else call.queued_ms)
    kind = _kind(call, outcome)
    parts = [kind.words, milliseconds(end - begun)]
    if call.attempt > 1:
        parts.append(f"attempt {call.attempt}")
    if call.end is not None:
        parts.append(usd(ended_bill(call).cost.best_usd))
    if isinstance(outcome, Outcome):
        parts.append(f"on {outcome.label}")
    return Span(
        kind=kind,
        begin_ms=call.queued_ms - began,
        begun_ms=max(begun, call.queued_ms) - began,
        end_ms=max(end, call.queued_ms) - began,
        words=", ".join(parts),
    )


def _kind(call: Call, outcome: Outcome | Bought | None) -> Kind:
    if call.end is None:
        return Kind.OPEN
    if call.bought:
        return Kind.GUESS
    if isinstance(outcome, Outcome):
        return Kind(outcome.outcome)
    if call.speculative:
        return Kind.OPEN
    if call.type == COMPARE:
        return Kind.COMPARED
    if call.end.how != "completed":
        return Kind.FAILED
    return Kind.COMMIT if call.type == COMMIT else Kind.AUTHORITATIVE


def _apart(spans: Sequence[Span]) -> tuple[Span, ...]:
    """Each in the first row in which it overlaps none."""
    ends: list[int] = []
    placed: list[Span] = []
    for span in sorted(spans, key=lambda one: (one.begin_ms, one.end_ms)):
        row = next((i for i, end in enumerate(ends) if end <= span.begin_ms), len(ends))
        ends[row:] = [span.end_ms, *ends[row + 1 :]]
        placed.append(replace(span, row=row))
    return tuple(placed)


def _in_order(run: Run, spans: Mapping[str, object]) -> list[str]:
    """Nodes as in the graph, each after its items; what no graph knows comes in order of time."""
    if run.graph is None:
        return list(spans)
    position = {node: index for index, node in enumerate(run.graph.nodes)}

    def place(name: str) -> tuple[int, int]:
        parent, _, index = name.removesuffix("]").partition("[")
        number = int(index) if index.isdecimal() else len(spans)
        return position.get(parent, len(position)), number

    return sorted(spans, key=place)


def _state(run: Run, node: str) -> str:
    """Why nothing ran for a node."""
    says = told(run)
    if node in says.skipped:
        return "skipped"
    if node in says.failed:
        return f"failed: {says.failed[node]}"
    if node in says.effects:
        return str(says.effects[node].get("state"))
    if run.graph is not None and run.graph.nodes[node].gathers:
        return "gathers its items"
    return "never ran"

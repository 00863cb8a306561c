"""From the time of a run to a place on the page.

Stretches in which nothing ran, because people were asked or a server was away, are folded: they keep
their true length in words and lose it in width. All else is to scale.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from forerun.workers.report.figures import milliseconds, percent

FOLDED_SHARE = 0.06
"""The width of a fold, as a share of the axis without folds: two words side by side have room."""

LEAST_FOLD_MS = 1_000
LONGEST_SHARE = 0.25
"""Idle stretches are folded beyond this share of the time in which something ran."""

TICKS = 8
STEPS = (1, 2, 5)


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the run, in milliseconds, and how much of the page's width it takes."""

    begin_ms: int
    end_ms: int
    shown_ms: float

    @property
    def folded(self) -> bool:
        """Whether it is shorter on the page than it was."""
        return self.shown_ms < self.end_ms - self.begin_ms


@dataclass(frozen=True, slots=True)
class Tick:
    """A line across the lanes, with its time."""

    at: str
    label: str


class Scale:
    """Places on an axis that is `shown_ms` wide, wider than its pieces if something else is longer."""

    def __init__(self, pieces: Sequence[Piece], at_least_ms: float = 0) -> None:
        self.pieces = tuple(pieces)
        self.shown_ms = max(sum(piece.shown_ms for piece in pieces), at_least_ms, 1)

    def place(self, ms: float) -> float:
        """Where on the axis this is, 0 to 1."""
        passed = 0.0
        for piece in self.pieces:
            length = piece.end_ms - piece.begin_ms
            if ms <= piece.end_ms:
                inside = max(ms - piece.begin_ms, 0) / length if length else 0
                return (passed + inside * piece.shown_ms) / self.shown_ms
            passed += piece.shown_ms
        return passed / self.shown_ms

    def at(self, ms: float) -> str:
        """For CSS."""
        return percent(self.place(ms))

    def width(self, begin_ms: float, end_ms: float) -> str:
        """For CSS."""
        return percent(max(self.place(end_ms) - self.place(begin_ms), 0))

    @property
    def ticks(self) -> list[Tick]:
        """Round times, evenly apart, none within a fold."""
        step = step_of(self.shown_ms)
        whole = [piece for piece in self.pieces if not piece.folded]
        times = [
            ms
            for piece in whole
            for ms in range(-(-piece.begin_ms // step) * step, piece.end_ms + 1, step)
        ]
        return [Tick(self.at(ms), _label(ms)) for ms in dict.fromkeys(times)]

    @property
    def folds(self) -> list[tuple[str, str, str]]:
        """Where the folds are, how wide, and how long they took."""
        return [
            (
                self.at(piece.begin_ms),
                self.width(piece.begin_ms, piece.end_ms),
                milliseconds(piece.end_ms - piece.begin_ms),
            )
            for piece in self.pieces
            if piece.folded
        ]


def scale_of(busy: Iterable[tuple[int, int]], end_ms: int, at_least_ms: float = 0) -> Scale:
    """A scale for a run that ends at `end_ms`, in which something ran during `busy`."""
    runs = _united(busy)
    ran_ms = sum(end - begin for begin, end in runs)
    longest_ms = max(LONGEST_SHARE * ran_ms, LEAST_FOLD_MS)
    edges = [0, *(edge for run in runs for edge in run), max(end_ms, 0)]
    pieces: list[Piece] = []
    for index, (begin, end) in enumerate(pairwise(edges)):
        idle, length = index % 2 == 0, max(end - begin, 0)
        fold = idle and length > longest_ms
        folded_ms = max(FOLDED_SHARE * max(ran_ms, at_least_ms), LEAST_FOLD_MS / 4)
        shown = min(folded_ms, length) if fold else length
        pieces.append(Piece(begin, begin + length, shown))
    return Scale(pieces, at_least_ms)


def step_of(shown_ms: float) -> int:
    """The round number of milliseconds that leads to about `TICKS` ticks."""
    unit = 1
    while True:
        for step in STEPS:
            if shown_ms / (step * unit) <= TICKS:
                return step * unit
        unit *= 10


def _united(busy: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for begin, end in sorted((max(begin, 0), max(end, 0)) for begin, end in busy):
        if runs and begin <= runs[-1][1]:
            runs[-1] = (runs[-1][0], max(end, runs[-1][1]))
        elif end >= begin:
            runs.append((begin, end))
    return runs


def _label(ms: int) -> str:
    if ms < 60_000:
        return f"{ms / 1000:g} s"
    minutes, rest = divmod(ms // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"

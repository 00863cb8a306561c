"""Figures as people read them in Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table, first column to the left, figures to the right."""
    lines = [
        f"| {' | '.join(header)} |",
        f"|---|{'---:|' * (len(header) - 1)}",
        *(f"| {' | '.join(str(cell) for cell in row)} |" for row in rows),
    ]
    return "\n".join(lines)


def percent(value: float | Mapping[str, float] | None) -> str:
    """A share in whole percent, with its interval if it has one; a dash for what is not known."""
    if value is None:
        return "–"
    if isinstance(value, int | float):
        return f"{value:.0%}"
    return _with_interval(value, lambda share: f"{share:.0%}")


def change(ratio: Mapping[str, float], *, places: int = 0) -> str:
    """A ratio as what it differs from 1: `-31% [-35%, -27%]`."""
    return _with_interval(ratio, lambda value: f"{value - 1:+.{places}%}")


def _with_interval(interval: Mapping[str, float], shown: Callable[[float], str]) -> str:
    text = shown(interval["value"])
    if "low" not in interval:
        return text
    return f"{text} [{shown(interval['low'])}, {shown(interval['high'])}]"

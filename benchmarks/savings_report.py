"""What savings and their costs look like: tables for people, and two plots."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.load import told
from benchmarks.plots import COLOURS, INK, figure
from benchmarks.tables import change, percent, table

TIME_GOAL = 0.485
TOKEN_GOAL = 0.40
ORACLE_GOAL = 0.90
COLUMNS_OF_PLOTS = 3

Figures = dict[str, Any]


def markdown(figures: Figures) -> str:
    """All figures as tables, the goals beside them."""
    return "\n\n".join(
        [
            "# What speculation saves, and what it costs",
            _method(figures),
            "## All shapes, each counted alike",
            _summary(figures),
            _goals(figures),
            "## Bets that were held although their guesses came true, at α 1",
            _held(figures),
            "## Every cell",
            _cells(figures),
            "## Shapes",
            _shapes(figures),
            "## Single runs against their controls (time, 1 = the control's)",
            _tails(figures),
        ]
    )


def plots(figures: Figures) -> dict[str, Any]:
    """By name."""
    return {"time": _time_plot(figures), "oracle": _oracle_plot(figures)}


def _method(figures: Figures) -> str:
    scale = figures["scale"]
    return (
        f"{figures['runs']:,} runs on the stand-in (live, synthetic), {figures['inputs_per_cell']} "
        "inputs per cell, each in all arms at once; the control has no speculation and no guesser. "
        f"Runs take their full time; tokens are divided by {scale['tokens']:g}, and dollars per "
        f"second with them (from {figures['usd_per_second']}). Ratios of sums over "
        "inputs, [95 % bootstrap interval]; acceptance is exact (tiers 0 and 1). "
        f"{told(figures['load'])} See docs/benchmarks.md."
    )


def _summary(figures: Figures) -> str:
    rows = [[f"{c['rate']:g}", c["alpha"], *_columns(c)] for c in figures["all_shapes"]]
    return table(["hit rate", "α", *COLUMNS], rows)


def _cells(figures: Figures) -> str:
    rows = [[c["shape"], f"{c['rate']:g}", c["alpha"], *_columns(c)] for c in figures["cells"]]
    return table(["shape", "hit rate", "α", *COLUMNS], rows)


COLUMNS = (
    "time",
    "median run [IQR]",
    "tokens",
    "dollars",
    "waste",
    "oracle's time",
    "of the oracle's saving",
    "lost: bets not placed",
    "lost: delays",
)


def _columns(cell: Figures) -> list[str]:
    by_run = cell["time_by_run"]
    return [
        change(cell["time"]),
        f"{by_run['median']:.2f} [{by_run['q1']:.2f}, {by_run['q3']:.2f}]",
        change(cell["tokens"]),
        change(cell["usd"]),
        percent(cell["waste"]["value"]),
        change({"value": cell["oracle_time"]["value"]}),
        percent(cell["of_oracle"]),
        percent(cell["lost_to_bets_not_placed"]["value"]),
        percent(cell["lost_to_delays"]["value"]),
    ]


def _held(figures: Figures) -> str:
    cells = [cell for cell in figures["all_shapes"] if cell["alpha"] == "1"]
    reasons = dict.fromkeys(reason for cell in cells for reason in cell["held_though_right"])
    rows = [
        [f"{cell['rate']:g}", *(cell["held_though_right"].get(reason, 0) for reason in reasons)]
        for cell in cells
    ]
    return table(["hit rate", *reasons], rows)


def _goals(figures: Figures) -> str:
    cells = figures["all_shapes"]
    named = f"{TIME_GOAL:.1%} less time for at most {TOKEN_GOAL:.0%} more tokens"
    return "\n".join(
        [
            f"- Goal: {named}: {_where(cells, _fast_and_cheap)}",
            "- The oracle itself saves as much time (at any cost): "
            f"{_where(cells, _fast_for_the_oracle)}",
            f"- Goal: {ORACLE_GOAL:.0%} of what the oracle saves: "
            f"{_where(cells, _near_the_oracle)}",
        ]
    )


def _fast_and_cheap(cell: Figures) -> bool:
    return 1 - cell["time"]["value"] >= TIME_GOAL and cell["tokens"]["value"] - 1 <= TOKEN_GOAL


def _fast_for_the_oracle(cell: Figures) -> bool:
    return 1 - cell["oracle_time"]["value"] >= TIME_GOAL


def _near_the_oracle(cell: Figures) -> bool:
    return cell["of_oracle"]["value"] >= ORACLE_GOAL


def _where(cells: list[Figures], reached: Callable[[Figures], bool]) -> str:
    at = [f"{c['rate']:g} (α {c['alpha']})" for c in cells if reached(c)]
    return f"reached at hit rate {', '.join(at)}" if at else "not reached"


def _shapes(figures: Figures) -> str:
    rows = [
        [
            name,
            f"{shape['control_seconds']['median']:.2f} s",
            ", ".join(f"{100 * g['mean']:+.2f} ({g['rate']:g})" for g in shape["eager_gain_usd"]),
            SIDES[shape["break_even"]["side"]] + f"{shape['break_even']['rate']:.2f}",
            f"{shape['sequential_error']['median']:+.1%} "
            f"[{shape['sequential_error']['q1']:+.1%}, {shape['sequential_error']['q3']:+.1%}]",
            percent(shape["sequential_error"]["p95_absolute"]),
        ]
        for name, shape in figures["shapes"].items()
    ]
    header = [
        "shape",
        "without speculation",
        "cents gained per run if every guess is believed (hit rate)",
        "break-even hit rate",
        "error of sequential_seconds [IQR]",
        "p95 of its size",
    ]
    return table(header, rows)


SIDES = {"below": "< ", "at": "", "above": "> "}


def _tails(figures: Figures) -> str:
    rows = [
        [alpha, *(f"{value:.2f}" for value in tail.values())]
        for alpha, tail in figures["tails"].items()
    ]
    return table(["α", "p50", "p95", "p99", "worst"], rows)


def _time_plot(figures: Figures) -> Any:
    shapes = list(figures["shapes"])
    drawn, axes = figure(-(-len(shapes) // COLUMNS_OF_PLOTS), COLUMNS_OF_PLOTS)
    for axis in axes.flat[len(shapes) :]:
        axis.remove()
    for shape, axis in zip(shapes, axes.flat, strict=False):
        cells = [cell for cell in figures["cells"] if cell["shape"] == shape]
        for alpha, colour in zip(figures["tails"], COLOURS, strict=False):
            _line(axis, [cell for cell in cells if cell["alpha"] == alpha], f"α = {alpha}", colour)
        rates = sorted({cell["rate"] for cell in cells})
        oracle = [next(c for c in cells if c["rate"] == r)["oracle_time"]["value"] for r in rates]
        axis.plot(rates, oracle, "--", color=INK, label="oracle")
        axis.set_title(shape)
        axis.set_xticks(rates)
        axis.set_ylim(0, 1.15)
    axes[0][0].legend(loc="lower left")
    drawn.supxlabel("hit rate")
    drawn.supylabel("time (without speculation = 1)")
    return drawn


def _line(axis: Any, cells: list[Figures], label: str, colour: str) -> None:
    rates, times = [c["rate"] for c in cells], [c["time"] for c in cells]
    axis.plot(rates, [t["value"] for t in times], "o-", color=colour, label=label, ms=3)
    low, high = [t["low"] for t in times], [t["high"] for t in times]
    axis.fill_between(rates, low, high, color=colour, alpha=0.15)


def _oracle_plot(figures: Figures) -> Any:
    drawn, axes = figure(1, len(figures["tails"]))
    parts = (
        ("of_oracle", "saved"),
        ("lost_to_bets_not_placed", "bets not placed"),
        ("lost_to_delays", "delays"),
    )
    for alpha, axis in zip(figures["tails"], axes.flat, strict=True):
        cells = [cell for cell in figures["all_shapes"] if cell["alpha"] == alpha]
        names = [f"{cell['rate']:g}" for cell in cells]
        bottom = [0.0] * len(cells)
        for (key, label), colour in zip(parts, COLOURS, strict=False):
            heights = [max(cell[key]["value"], 0.0) for cell in cells]
            axis.bar(names, heights, bottom=bottom, color=colour, label=label, width=0.6)
            bottom = [b + h for b, h in zip(bottom, heights, strict=True)]
        axis.axhline(ORACLE_GOAL, color=INK, linestyle="--", linewidth=1)
        axis.set_title(f"α = {alpha}")
        axis.set_ylim(0, 1.05)
    handles, labels = axes[0][0].get_legend_handles_labels()
    drawn.legend(handles, labels, loc="outside right center")
    drawn.supxlabel("hit rate")
    drawn.supylabel("share of the oracle's saving")
    return drawn

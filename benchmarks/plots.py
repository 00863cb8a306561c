"""How plots look: no background, and colours that can be read on white and on black."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.figure import Figure

_MATPLOTLIB: Any = matplotlib  # its stubs leave half of its types unknown

INK = "#7d8590"
COLOURS = ("#2f81f7", "#3fb950", "#db6d28", "#a371f7")

STYLE: dict[str, Any] = {
    "svg.hashsalt": "forerun",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "legend.frameon": False,
    "axes.titlesize": 9,
    **dict.fromkeys(
        ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), INK
    ),
    "grid.color": INK,
}


def figure(rows: int, columns: int, *, width: float = 9.0, height: float = 2.4) -> tuple[Any, Any]:
    """A figure and its axes, as a grid that is two-dimensional in any case."""
    with _MATPLOTLIB.rc_context(STYLE):
        drawn = Figure(figsize=(width, height * rows), layout="constrained")
        return drawn, drawn.subplots(rows, columns, squeeze=False)


def save(drawn: Any, path: Path) -> None:
    """As SVG, the same bytes for the same figures."""
    with _MATPLOTLIB.rc_context(STYLE):
        drawn.savefig(path, transparent=True, metadata={"Date": None})

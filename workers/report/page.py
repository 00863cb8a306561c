"""Data into HTML: one page, with its style inside, that asks no network for anything.

The law: everything from a history is text. Templates are escaped throughout, nothing is ever marked
as safe, values stand between tags or in quoted attributes, and the page forbids itself scripts and
requests. Characters that cannot be seen, or that turn the direction of writing, are written out.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from forerun import __version__
from forerun.workers.cli.printable import printable
from forerun.workers.report import figures
from forerun.workers.report.single import Single
from forerun.workers.report.workload import Workload

TEMPLATES = Path(__file__).with_name("templates")
FILTERS = (
    "usd",
    "exact_usd",
    "seconds",
    "milliseconds",
    "probability",
    "percent",
    "whole_percent",
    "column_usd",
)


def run_page(report: Single) -> str:
    """The page of one run."""
    return _environment().get_template("run.html").render(report=report, version=__version__)


def workload_page(report: Workload) -> str:
    """The page of many runs."""
    return _environment().get_template("workload.html").render(report=report, version=__version__)


def _visible(value: Any) -> Any:
    return printable(value) if type(value) is str else value


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update({name: getattr(figures, name) for name in FILTERS})
    return environment

"""docs/guarantees.md names a test for each promise, and each of them is there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
TEXT = (TESTS.parent / "docs" / "guarantees.md").read_text()

NAMED = sorted(set(re.findall(r"`([\w/]+\.py)::(test_\w+)`", TEXT)))
ROWS = [line for line in TEXT.splitlines() if re.match(r"\|(?!---)", line)]


@cache
def named_in(path: Path) -> frozenset[str]:
    """The functions of a file, also those in its classes."""
    nodes = ast.walk(ast.parse(path.read_text()))
    functions = (it for it in nodes if isinstance(it, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(function.name for function in functions)


@pytest.mark.parametrize(("file", "test"), NAMED)
def test_every_named_test_exists(file: str, test: str) -> None:
    """Whoever renames a test renames it there."""
    assert (TESTS / file).is_file()
    assert test in named_in(TESTS / file)


def test_every_promise_names_a_test() -> None:
    """But for the headings, what a guess may tell others, and the chaos that is a command."""
    without = [row for row in ROWS if "::test_" not in row and "make chaos" not in row]
    headings = [row for row in without if "| test |" in row]
    policies = [row for row in without if row.count("|") == 3]

    assert set(without) == {*headings, *policies}
    assert len(NAMED) > 100

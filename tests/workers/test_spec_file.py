"""A spec is refused before anything is started, in one line that starts with the file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from forerun.workers.cli.process import CommandError
from forerun.workers.cli.spec_file import read_spec

NODES = {"a": {"tool": "echo", "args": {"value": 1}}}


def written(folder: Path, content: Any) -> Path:
    path = folder / "spec.json"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return path


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no JSON: Expecting value at line 1 column 1"),
        (b'{"version": 1,\n', "no JSON: Expecting property name enclosed in double quotes at line"),
        (b'{"version": "\xff"}', "not UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
        ([NODES], "write a JSON object"),
        ({"version": 1}, "nodes"),
        ({"version": 1, "nodes": NODES, "policy": []}, "policy"),
    ],
)
def test_what_is_no_spec_is_one_line(tmp_path: Path, content: Any, said: str) -> None:
    """Whatever the file holds, and with the exit code for bad input."""
    path = written(tmp_path, content)

    with pytest.raises(CommandError) as caught:
        read_spec(path, {"alpha": "0.1"})

    assert caught.value.code == 2
    assert str(caught.value).startswith(f"{path}: ")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("path", ["missing.json", "."])
def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path, path: str) -> None:
    """A folder is no file."""
    with pytest.raises(CommandError, match=r"(No such file|Is a directory)"):
        read_spec(tmp_path / path, {})


def test_the_command_line_overrides_the_policy_and_nothing_else(tmp_path: Path) -> None:
    """A key that it does not name stays as it is in the file."""
    spec = {"version": 1, "nodes": NODES, "policy": {"alpha": 0.5, "usd_per_second": "0.02"}}
    path = written(tmp_path, spec)

    assert read_spec(path, {}) == spec
    changed = read_spec(path, {"alpha": "0.1", "budget_usd": "0"})
    assert changed["policy"] == {"alpha": "0.1", "usd_per_second": "0.02", "budget_usd": "0"}
    assert changed["nodes"] == NODES


def test_a_bad_value_on_the_command_line_is_refused_too(tmp_path: Path) -> None:
    """By the same parser, with the same words."""
    with pytest.raises(CommandError, match=r"policy\.alpha: '7' is too large"):
        read_spec(written(tmp_path, {"version": 1, "nodes": NODES}), {"alpha": "7"})

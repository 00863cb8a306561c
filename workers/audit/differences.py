"""Where two JSON values differ, as paths: `ledger.spent_usd`, `calls[0].share`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

ABSENT = "nothing there"
"""Stands for a field or an item that one of the two does not have."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One path at which they differ, and both values."""

    path: str
    expected: Any
    found: Any


def differences(expected: Any, found: Any, path: str = "") -> Iterator[Difference]:
    """The places at which two values differ. Like JSON, it tells 1 from 1.0 and from true."""
    if isinstance(expected, dict) and isinstance(found, dict):
        yield from _in_objects(
            cast("dict[str, Any]", expected), cast("dict[str, Any]", found), path
        )
    elif isinstance(expected, list) and isinstance(found, list):
        yield from _in_lists(cast("list[Any]", expected), cast("list[Any]", found), path)
    elif repr(cast("object", expected)) != repr(cast("object", found)):
        yield Difference(path, expected, found)


def _in_objects(expected: dict[str, Any], found: dict[str, Any], path: str) -> Iterator[Difference]:
    for key in dict.fromkeys([*expected, *found]):
        inner = f"{path}.{key}" if path else key
        yield from differences(expected.get(key, ABSENT), found.get(key, ABSENT), inner)


def _in_lists(expected: list[Any], found: list[Any], path: str) -> Iterator[Difference]:
    for index in range(max(len(expected), len(found))):
        one = expected[index] if index < len(expected) else ABSENT
        other = found[index] if index < len(found) else ABSENT
        yield from differences(one, other, f"{path}[{index}]")

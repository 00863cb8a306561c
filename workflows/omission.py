"""Answers that the server still takes: what is too much of them gives way to its digest.

The server refuses more than 2 MB: a result for ever, so that the run could never close, and a query
each time. What is left out stands in the history, in the results and arguments of the calls.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from forerun.speculation.canonical import canonical_json, digest


def page_of(values: Sequence[Any], start: int, limit: int) -> list[Any]:
    """The values from `start` on that fit in about `limit` bytes, at least one if there is one."""
    page: list[Any] = []
    for value in values[max(0, start) :]:
        limit -= len(canonical_json(value).encode())
        if limit < 0 and page:
            break
        page.append(value)
    return page


def omitting(values: dict[str, Any], limit: int, within: str | None = None) -> dict[str, Any]:
    """`values` in at most about `limit` bytes: the largest give way to their digest.

    What gives way is the value itself, or its field `within`.
    """
    sizes = {name: len(canonical_json(value).encode()) for name, value in values.items()}
    total = sum(sizes.values())
    for name in sorted(sizes, key=lambda name: -sizes[name]):
        if total <= limit:
            break
        whole = values[name]
        omitted = {
            "omitted_bytes": sizes[name],
            "sha256": digest(whole[within] if within else whole),
        }
        values[name] = {**whole, within: omitted} if within else omitted
        total -= sizes[name]
    return values

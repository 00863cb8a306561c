"""Comparison by words alone: what it decides, and what it leaves to a model."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from temporalio.testing import ActivityEnvironment

from forerun.activities.wording import Pair, Wording, WordingRequest
from forerun.speculation.canonical import digest
from forerun.speculation.record import GENESIS, Record, seal_of
from tests.speculation.equivalence_pairs import SAME, STOPPED, UNDECIDED


async def compared(*values: tuple[Any, Any], highest: int) -> list[Record]:
    """The records on these guesses and answers."""
    pairs = [
        Pair(
            guess=f"a@{at}",
            node="a",
            label=f"a={at}",
            predicted=predicted,
            predicted_sha256=digest(predicted),
            actual=actual,
            actual_sha256=digest(actual),
            highest=highest,
        )
        for at, (predicted, actual) in enumerate(values)
    ]
    request = WordingRequest(at=datetime.now(UTC), pairs=tuple(pairs), previous=GENESIS)
    return (await ActivityEnvironment().run(Wording().compare_wording, request)).records


@pytest.mark.parametrize("highest", [2, 3])
async def test_words_decide_what_they_can(highest: int) -> None:
    """The same words and facts are the same; a gate that objects has the last word."""
    same = [pair[1:3] for pair in SAME if pair[3] == 2]
    stopped = [pair[1:] for pair in STOPPED]

    records = await compared(*same, *stopped, highest=highest)

    assert [record["tier"] for record in records] == [2] * len(same) + [None] * len(stopped)
    assert {(record["by"], record["best_usd"]) for record in records} == {("wording", "0")}


async def test_what_words_leave_open_has_no_record() -> None:
    """Where a model may be asked; where not, it is different."""
    pairs = [pair[1:] for pair in UNDECIDED]

    assert await compared(*pairs, highest=3) == []
    assert [r["tier"] for r in await compared(*pairs, highest=2)] == [None] * len(pairs)


async def test_a_guess_that_is_no_text_is_different() -> None:
    """Another node's output may be anything."""
    (record,) = await compared((["billing"], "billing"), highest=3)

    assert (record["tier"], record["reason"]) == (None, "different JSON, and no free text")


async def test_the_chain_goes_on() -> None:
    """Record by record, in the order of the pairs."""
    one, other = await compared(("a", "A"), ("b", "B"), highest=2)

    assert (one["previous"], other["previous"]) == (GENESIS, one["sha256"])
    assert all(seal_of(record) == record["sha256"] for record in (one, other))

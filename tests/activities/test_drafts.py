"""`drafts.put`: staged on guesses, committed once, and nothing of what lost is left behind."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.exceptions import ApplicationError

from forerun.activities.effects.database import IDEMPOTENCY_CONFLICT
from forerun.activities.effects.drafts import Draft, Drafts
from forerun.activities.registration import Commit
from forerun.activities.registry import Registry
from forerun.activities.stageable import Stage
from forerun.speculation.canonical import digest
from forerun.speculation.effect_class import Approval, EffectClass
from tests.activities.databases import Row, rows

BILL = {"title": "your bill", "body": "it is wrong, we are sorry"}
BUG = {"title": "your bug", "body": "it is right, we are sorry"}

LATER = datetime.now(UTC) + timedelta(days=1)


def stage_of(arguments: dict[str, Any], intent: str = "draft") -> Stage:
    return Stage(workflow_id="flow", first_run_id="run", intent=intent, digest=digest(arguments))


def commit_of(arguments: dict[str, Any], intent: str = "draft") -> Commit:
    return Commit(
        idempotency_key=stage_of(arguments, intent).idempotency_key,
        digest=digest(arguments),
        intent=intent,
        workflow_id="flow",
        run_id="run-2",
        approved_by="ann",
    )


async def stage(drafts: Drafts, arguments: dict[str, Any]) -> None:
    await drafts.stage(Draft(**arguments), stage_of(arguments))


async def commit(drafts: Drafts, arguments: dict[str, Any]) -> dict[str, Any]:
    return await drafts.put(Draft(**arguments), commit_of(arguments))


def states(url: str) -> dict[str, str]:
    return {row["digest"]: row["state"] for row in rows(url, "drafts")}


def committed(url: str) -> list[Row]:
    return [row for row in rows(url, "drafts") if row["state"] == "committed"]


async def test_staged_then_committed(database_url: str) -> None:
    """A stage becomes the committed draft; the other guess stays a stage until it is discarded."""
    drafts = Drafts(database_url)
    await stage(drafts, BILL)
    await stage(drafts, BUG)
    receipt = await commit(drafts, BILL)
    assert states(database_url) == {digest(BILL): "committed", digest(BUG): "staged"}
    await drafts.discard(stage_of(BUG))
    assert states(database_url) == {digest(BILL): "committed", digest(BUG): "discarded"}
    (row,) = committed(database_url)
    assert receipt == {"key": "flow/run/draft", "committed_at": row["committed_at"]}
    assert json.loads(row["arguments"]) == BILL
    assert (row["workflow_id"], row["intent"], row["approved_by"]) == ("flow", "draft", "ann")


async def test_commit_needs_no_stage(database_url: str) -> None:
    """Never staged, discarded or swept: the commit brings everything itself."""
    drafts = Drafts(database_url)
    first = await commit(drafts, BILL)
    assert await commit(drafts, BILL) == first
    await drafts.discard(stage_of(BUG, "other"))
    await drafts.put(Draft(**BUG), commit_of(BUG, "other"))
    assert [json.loads(row["arguments"]) for row in committed(database_url)] == [BILL, BUG]


async def test_repeats_change_nothing(database_url: str) -> None:
    """Whatever an attempt has done, the next one finds it done."""
    drafts = Drafts(database_url)
    await stage(drafts, BILL)
    before = rows(database_url, "drafts")
    await stage(Drafts(database_url), BILL)
    assert rows(database_url, "drafts") == before
    await drafts.discard(stage_of(BUG))
    await drafts.discard(stage_of(BUG))
    await commit(drafts, BILL)
    before = rows(database_url, "drafts")
    await commit(Drafts(database_url), BILL)
    assert rows(database_url, "drafts") == before


async def test_what_is_discarded_is_gone(database_url: str) -> None:
    """No text of a discarded draft is kept, and a worker that wakes up late cannot stage it."""
    drafts = Drafts(database_url)
    await stage(drafts, BILL)
    for arguments in (BILL, BUG):  # the second one was never made
        await drafts.discard(stage_of(arguments))
        await stage(drafts, arguments)
    assert [(row["state"], row["arguments"]) for row in rows(database_url, "drafts")] == [
        ("discarded", None),
        ("discarded", None),
    ]
    assert await drafts.staged(LATER) == []


async def test_what_is_committed_stays(database_url: str) -> None:
    """Nothing that comes late takes a committed draft back."""
    drafts = Drafts(database_url)
    await commit(drafts, BILL)
    before = rows(database_url, "drafts")
    await stage(drafts, BILL)
    await drafts.discard(stage_of(BILL))
    assert rows(database_url, "drafts") == before


async def test_one_commit_per_intent(database_url: str) -> None:
    """Other arguments under the same key are an error, staged or not, and change nothing."""
    drafts = Drafts(database_url)
    await stage(drafts, BUG)
    await commit(drafts, BILL)
    with pytest.raises(ApplicationError, match="flow/run/draft was committed") as raised:
        await commit(drafts, BUG)
    assert (raised.value.type, raised.value.non_retryable) == (IDEMPOTENCY_CONFLICT, True)
    assert states(database_url) == {digest(BILL): "committed", digest(BUG): "staged"}


async def test_races(database_url: str) -> None:
    """Commits of two guesses that race leave one; all that committed it agree on its receipt."""
    workers = [Drafts(database_url), Drafts(database_url)]
    attempts = [commit(workers[n % 2], (BILL, BUG)[n // 2 % 2]) for n in range(12)]
    results = await asyncio.gather(*attempts, return_exceptions=True)
    receipts = [it for it in results if isinstance(it, dict)]
    refused = [it for it in results if isinstance(it, ApplicationError)]
    assert (len(receipts), [it.type for it in refused]) == (6, [IDEMPOTENCY_CONFLICT] * 6)
    assert all(receipt == receipts[0] for receipt in receipts)
    assert len(committed(database_url)) == 1


async def test_lists_what_waits(database_url: str) -> None:
    """Listed is what was staged before a time, and is neither committed nor discarded."""
    drafts = Drafts(database_url)
    await stage(drafts, BILL)
    await stage(drafts, BUG)
    await commit(drafts, BUG)
    assert await drafts.staged(LATER) == [stage_of(BILL)]
    assert await drafts.staged(datetime(2026, 1, 1, tzinfo=UTC)) == []


STEPS = st.lists(
    st.tuples(st.sampled_from(["stage", "discard", "commit"]), st.sampled_from([0, 1])), max_size=8
)


@given(STEPS)
def test_any_order(tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]) -> None:
    """Whatever comes in whatever order: at most one is committed, the first to ask, for good."""
    url = f"sqlite:///{tmp_path_factory.mktemp('drafts')}/drafts.sqlite3"
    asyncio.run(_follow(url, steps))


async def _follow(url: str, steps: list[tuple[str, int]]) -> None:
    drafts, won = Drafts(url), list[str]()
    for step, which in steps:
        arguments = (BILL, BUG)[which]
        match step:
            case "stage":
                await stage(drafts, arguments)
            case "discard":
                await drafts.discard(stage_of(arguments))
            case _:
                won = won or [digest(arguments)]
                await asyncio.gather(commit(drafts, arguments), return_exceptions=True)
        if steps:
            assert [row["digest"] for row in committed(url)] == won
    for arguments in (BILL, BUG):
        await drafts.discard(stage_of(arguments))
    assert await drafts.staged(LATER) == []
    assert [row["digest"] for row in committed(url)] == won


def test_card() -> None:
    """It is stageable, asks for an approval, and reading its card opens no database."""
    card = Registry.of(Drafts("sqlite:////nowhere/drafts.sqlite3")).cards["drafts.put"]
    assert (card.effect, card.approval) == (EffectClass.STAGEABLE, Approval.REQUIRED)

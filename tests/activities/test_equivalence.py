"""Comparison by a model, over real HTTP: what it decides, what it costs, and what it never asks."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator
from decimal import Decimal

import pytest

from forerun.activities.call_result import Bill
from forerun.activities.equivalence import cosine
from forerun.speculation.billing import FREE, Basis, exact_cost
from forerun.speculation.pricing import Usage
from forerun.workers.standin.tokenizer import count_tokens
from tests.activities.compare_house import (
    CLOSE,
    EMBEDDER,
    FAR,
    JUDGE,
    NEAR,
    ORIGINAL,
    House,
    Local,
    embedding_usd,
    run,
)
from tests.speculation.equivalence_pairs import STOPPED, UNDECIDED


@pytest.fixture(name="server", scope="session")
async def _server(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[House]:
    async with House.of(tmp_path_factory.mktemp("prices")) as server:
        yield server


@pytest.fixture(name="house")
async def _house(server: House) -> House:
    """An empty log, and a judge who says yes."""
    await server.standin.idle()
    server.standin.clear_requests()
    server.script()
    return server


@pytest.mark.parametrize(
    ("actual", "same", "by"),
    [(NEAR, True, EMBEDDER), (CLOSE, False, EMBEDDER), (FAR, False, EMBEDDER)],
)
async def test_without_a_judge_only_a_high_cosine_is_the_same(
    house: House, actual: str, same: bool, by: str
) -> None:
    """0.95 or more; the price is exact, and paid whatever the verdict."""
    compared = await run(house.checks(similarity=house.embedder()), ORIGINAL, actual)

    assert compared.tier == (3 if same else None)
    assert compared.by == by
    assert compared.score is not None
    assert (compared.score >= Decimal("0.95")) == same
    assert compared.bill.cost == exact_cost(embedding_usd(ORIGINAL, actual))
    assert compared.bill.usage == Usage(input_tokens=count_tokens(ORIGINAL) + count_tokens(actual))
    assert house.asked() == ["text-embedding-3-small"]


@pytest.mark.parametrize(
    ("actual", "verdict", "same", "by"),
    [
        (NEAR, "no", True, EMBEDDER),
        (CLOSE, "yes", True, JUDGE),
        (CLOSE, "no", False, JUDGE),
        (CLOSE, "maybe", False, JUDGE),
        (CLOSE, "Yes, they are.", False, JUDGE),
        (FAR, "yes", False, EMBEDDER),
    ],
)
async def test_the_judge_is_asked_only_in_between(
    house: House, actual: str, verdict: str, same: bool, by: str
) -> None:
    """And its bill is added to the embedder's; a reply that is neither yes nor no is a no."""
    house.script(verdict)
    checks = house.checks(similarity=house.embedder(), judge=house.judge)

    compared = await run(checks, ORIGINAL, actual)

    assert compared.tier == (3 if same else None)
    assert compared.by == by
    judged = [model for model in house.asked() if model == "sim-small"]
    assert len(judged) == (by == JUDGE)
    assert compared.bill.cost.basis is Basis.EXACT
    assert (compared.bill.usage.output_tokens > 0) == (by == JUDGE)
    best_usd = compared.bill.cost.best_usd or Decimal(0)
    assert (best_usd > embedding_usd(ORIGINAL, actual)) == (by == JUDGE)


async def test_a_judge_alone(house: House) -> None:
    """Needs no embedder, and sees both texts as data."""
    compared = await run(house.checks(judge=house.judge), ORIGINAL, FAR)

    assert (compared.tier, compared.by, compared.score) == (3, JUDGE, None)
    [entry] = house.standin.requests()
    assert entry["user"] == f'{{"A":"{ORIGINAL}","B":"{FAR}"}}'


async def test_with_nobody_to_ask_all_is_different(house: House) -> None:
    """And free."""
    compared = await run(house.checks(), ORIGINAL, NEAR)

    assert (compared.tier, compared.by, compared.bill) == (None, "gates", Bill(cost=FREE))


@pytest.mark.parametrize(
    ("predicted", "actual"), [pair[1:] for pair in STOPPED], ids=[pair[0] for pair in STOPPED]
)
async def test_what_a_gate_stops_reaches_no_model(
    house: House, predicted: str, actual: str
) -> None:
    """A judge who would say yes is never asked: it costs nothing."""
    compared = await run(house.checks(judge=house.judge), predicted, actual)

    assert (compared.tier, compared.by, compared.bill) == (None, "gates", Bill(cost=FREE))
    assert house.asked() == []


@pytest.mark.parametrize(
    ("predicted", "actual"), [pair[1:] for pair in UNDECIDED], ids=[pair[0] for pair in UNDECIDED]
)
@pytest.mark.parametrize("verdict", ["yes", "no"])
async def test_what_no_gate_stops_is_the_judges(
    house: House, predicted: str, actual: str, verdict: str
) -> None:
    """Its verdict is the verdict."""
    house.script(verdict)

    compared = await run(house.checks(judge=house.judge), predicted, actual)

    assert (compared.tier == 3) == (verdict == "yes")


@pytest.mark.parametrize(
    ("vectors", "tier", "reason"),
    [
        (((1.0, 0.0), (2.0, 0.0)), 3, "cosine 1.000000"),
        (((1.0, 0.0), (0.9, 0.2)), 3, "cosine 0.976187"),
        (((1.0, 0.0), (0.6, 0.8)), None, "cosine 0.600000"),
        (((1.0, 0.0), (-1.0, 0.0)), None, "cosine -1.000000"),
        (((1.0, 0.0), (0.9, 0.4)), None, "no judge to decide"),
        (((1.0, 0.0), (0.0, 0.0)), None, "no cosine"),
        (((1.0, 0.0), (1.0,)), None, "no cosine"),
        (((1.0, 0.0), (math.nan, 1.0)), None, "no cosine"),
        (((1e200, 0.0), (1e200, 1e200)), None, "no cosine"),
        (((1.0, 0.0),), None, "no cosine"),
    ],
)
async def test_a_local_model_is_free(
    house: House, vectors: tuple[tuple[float, ...], ...], tier: int | None, reason: str
) -> None:
    """And vectors that cannot be compared are different."""
    local = Local(vectors)

    compared = await run(house.checks(similarity=local), ORIGINAL, NEAR)

    assert (compared.tier, compared.by) == (tier, "local:mine")
    assert reason in compared.reason
    assert compared.bill.cost == FREE
    assert local.vectors == ()


def test_a_cosine_is_rounded_down() -> None:
    """So that no rounding lifts it over a threshold."""
    assert cosine((1.0, 0.0), (0.95, math.sqrt(1 - 0.95**2) + 1e-9)) == Decimal("0.949999")

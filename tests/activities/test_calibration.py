"""What a cut call is said to cost, against what the provider really delivered, over HTTP.

Twenty finished calls of each kind of text calibrate a worker, all with the same two models; then
streams are cut at various points. Only the tests know the provider's own tokenizer.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass
from decimal import Decimal

import pytest

from forerun.activities.call_result import Cut
from forerun.activities.model_call import ModelRequest
from forerun.activities.providers.connections import IN_FLIGHT_MS, in_flight_ms
from forerun.speculation.billing import Basis
from forerun.workers.standin.serve import StandIn
from tests.activities.vendors import Vendors, request, true_usd
from tests.corpora import KINDS

PROVIDERS = ("openai", "anthropic")
CALLS = 20
CUT_AFTER = (20, 60, 120)
"""Tokens."""
CLOSE = {"prose": Decimal("0.05"), "json": Decimal("0.15"), "code": Decimal("0.15")}
"""How far the best dollars may be from the true ones."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A cut call, and what it was worth to the provider."""

    cut: Cut
    delivered_tokens: int
    true_usd: Decimal


Cases = dict[tuple[str, str], list[Case]]


@pytest.fixture(scope="module")
async def cases() -> AsyncGenerator[Cases]:
    """Cut calls by provider and kind, each after twenty finished ones."""
    async with StandIn.serve() as standin, Vendors.of(standin) as vendors:
        await _calibrate(vendors)
        _script(vendors, range(CALLS, CALLS + len(CUT_AFTER)), tokens_per_second=100)
        keys = [(provider, kind) for provider in PROVIDERS for kind in KINDS]
        found = await asyncio.gather(*(_cut(vendors, *key) for key in keys))
        yield dict(zip(keys, found, strict=True))


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("kind", KINDS)
def test_the_best_estimate_of_a_cut_call_is_close(cases: Cases, provider: str, kind: str) -> None:
    """Within 5 % on prose, 15 % on JSON and code; the truth lies between low and high."""
    for case in cases[provider, kind]:
        cost = case.cut.bill.cost
        assert cost.basis is Basis.ESTIMATED
        assert cost.low_usd is not None
        assert cost.best_usd is not None
        assert cost.high_usd is not None
        assert 0 < case.delivered_tokens < 400
        assert cost.low_usd <= case.true_usd <= cost.high_usd
        assert abs(cost.best_usd / case.true_usd - 1) <= CLOSE[kind]


@pytest.mark.parametrize(
    ("host", "ms"),
    [("127.0.0.1", 0), ("::1", 0), ("localhost", 0), ("api.openai.com", IN_FLIGHT_MS)],
)
def test_nothing_is_in_flight_on_this_machine(host: str, ms: int) -> None:
    """From far away some tokens always are."""
    assert in_flight_ms(host) == ms


async def _calibrate(vendors: Vendors) -> None:
    _script(vendors, range(CALLS), tokens_per_second=100_000)
    for number in range(CALLS):
        await asyncio.gather(
            *(
                vendors.complete(_request(provider, kind, number, max_output_tokens=60))
                for provider in PROVIDERS
                for kind in KINDS
            )
        )


async def _cut(vendors: Vendors, provider: str, kind: str) -> list[Case]:
    asked = [_request(provider, kind, CALLS + place) for place in range(len(CUT_AFTER))]
    cuts = await asyncio.gather(
        *(
            vendors.cut(request, after_tokens=after)
            for request, after in zip(asked, CUT_AFTER, strict=True)
        )
    )
    delivered = [await _delivered(vendors, request.prompt) for request in asked]
    return [
        Case(cut=cut, delivered_tokens=tokens, true_usd=true_usd(request.prompt, "", tokens))
        for cut, request, tokens in zip(cuts, asked, delivered, strict=True)
    ]


async def _delivered(vendors: Vendors, prompt: str) -> int:
    """Tokens that the provider had sent when it saw that we were gone."""
    async with asyncio.timeout(5):
        while True:
            entry = next(e for e in vendors.standin.requests() if e["user"] == prompt)
            if entry["outcome"] != "running":
                return entry["delivered_tokens"]
            await asyncio.sleep(0.001)


def _script(vendors: Vendors, numbers: Iterable[int], *, tokens_per_second: int) -> None:
    vendors.standin.set_rules(
        [
            {
                "match": f"^{kind} {number} ",
                "reply": KINDS[kind](number),
                "ttft_ms": 0,
                "tokens_per_second": tokens_per_second,
            }
            for kind in KINDS
            for number in numbers
        ]
    )


def _request(provider: str, kind: str, number: int, max_output_tokens: int = 400) -> ModelRequest:
    prompt = f"{kind} {number} answers {provider}, who asks:\n\n{KINDS[kind](1000 + number)}"
    return request(provider, prompt=prompt, max_output_tokens=max_output_tokens)

"""What the tests of comparisons share: one stand-in, an embedder and a judge in front of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from temporalio.activity import ActivityCancellationDetails
from temporalio.testing import ActivityEnvironment

from forerun.activities.call_result import Bill
from forerun.activities.comparison import Compared, CompareRequest
from forerun.activities.equivalence import EquivalenceChecks, Judge
from forerun.activities.failures import details_of
from forerun.activities.price_lookup import Prices
from forerun.activities.prices import PriceBook
from forerun.activities.providers.openai import OpenAIProvider
from forerun.activities.providers.openai_embeddings import OpenAIEmbeddings
from forerun.activities.similarity import Embedded
from forerun.workers.standin.serve import StandIn
from forerun.workers.standin.tokenizer import count_tokens
from tests.activities.vendors import KEY, PRICED_AT

EMBEDDER, JUDGE = "openai:text-embedding-3-small", "openai:sim-small"

ORIGINAL = (
    "The customer has received a broken lamp, is upset about the long wait, and asks us for a "
    "refund to the card that was used for the order."
)
NEAR = ORIGINAL.replace("is upset", "is angry")  # 0.95 or more
CLOSE = ORIGINAL.replace("is upset about the long wait", "is angry about the long delay")
FAR = (
    "As the light was damaged in the mail, which took far too long, a client demands money back on "
    "the bank card."
)


@dataclass(frozen=True, kw_only=True)
class House:
    """One stand-in, and checks in front of it."""

    standin: StandIn
    prices: Prices
    judge: Judge

    @staticmethod
    @asynccontextmanager
    async def of(folder: Path) -> AsyncGenerator[House]:
        """All of it, with a price for the embedder in `folder`."""
        priced = folder / "prices.json"
        entry = '{"input_usd_per_mtok": "0.02", "output_usd_per_mtok": "0"}'
        await asyncio.to_thread(priced.write_text, f'{{"{EMBEDDER}": {entry}}}')
        async with StandIn.serve() as standin:
            provider = OpenAIProvider(api_key=KEY, base_url=standin.openai_base_url)
            async with aclosing(provider):
                judge = Judge(operation=JUDGE, provider=provider)
                yield House(standin=standin, prices=PriceBook(priced), judge=judge)

    def script(self, verdict: str = "yes", **fields: Any) -> None:
        """What the judge says; `fields` go to the embedder's rule."""
        quick = {"match": "", "ttft_ms": 0, "tokens_per_second": 10_000}
        self.standin.set_rules(
            [{**quick, "model": "text-*", "reply": "", **fields}, {**quick, "reply": verdict}]
        )

    def embedder(self, **options: Any) -> OpenAIEmbeddings:
        usual: dict[str, Any] = {"api_key": KEY, "base_url": self.standin.openai_base_url}
        return OpenAIEmbeddings(**usual | options)

    def checks(self, **parts: Any) -> EquivalenceChecks:
        usual: dict[str, Any] = {"prices": self.prices, "now": lambda: PRICED_AT}
        return EquivalenceChecks(**usual | parts)

    def asked(self) -> list[str]:
        return [entry["model"] for entry in self.standin.requests()]


@dataclass
class Local:
    """A model of one's own, as a user would bring it."""

    vectors: tuple[tuple[float, ...], ...]
    operation: str = "local:mine"
    is_local: bool = True

    async def embed(self, texts: Sequence[str]) -> Embedded:
        assert len(texts) == 2
        return Embedded(vectors=self.vectors, usage=None)

    async def aclose(self) -> None:
        self.vectors = ()


async def run(
    checks: EquivalenceChecks,
    predicted: str,
    actual: str,
    *,
    earlier: Bill | None = None,
    until: Callable[[Any], bool] = lambda beat: False,
    why: ActivityCancellationDetails | None = None,
) -> Compared:
    """One attempt in an activity environment, cut `until` says so, and the checks closed."""
    env = ActivityEnvironment()
    if earlier is not None:
        env.info = replace(env.info, attempt=2, heartbeat_details=[details_of(earlier)])

    def on_heartbeat(beat: Any) -> None:
        if until(beat):
            env.cancel(why or ActivityCancellationDetails(cancel_requested=True))

    env.on_heartbeat = on_heartbeat
    async with aclosing(checks):
        return await env.run(checks.compare, CompareRequest(predicted=predicted, actual=actual))


def embedding_usd(*texts: str) -> Decimal:
    """By the stand-in's own tokenizer, at $0.02 a million."""
    return (Decimal("0.02") * sum(map(count_tokens, texts))).scaleb(-6)

"""What the tests of model calls share: both providers in front of one stand-in server.

The server learns what its clients do from its sockets, so its log is polled: there is no event.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from temporalio.activity import ActivityCancellationDetails
from temporalio.api.failure.v1 import Failure
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from forerun.activities.call_result import Bill, CallResult, Completed, Cut
from forerun.activities.failures import bill_of_failure
from forerun.activities.model_call import ModelCalls, ModelRequest
from forerun.activities.price_lookup import CancelPolicies
from forerun.activities.prices import PriceBook
from forerun.activities.providers.anthropic import AnthropicProvider
from forerun.activities.providers.openai import OpenAIProvider
from forerun.workers.standin.serve import StandIn
from forerun.workers.standin.tokenizer import count_tokens

KEY = "sk-0123456789-very-secret"
PROMPT = "Is the invoice of the customer Marple about billing or a bug"
PRICED_AT = datetime(2026, 11, 21, tzinfo=UTC)
PRICES = PriceBook()


def request(provider: str, **fields: Any) -> ModelRequest:
    """A call of `sim-mid`."""
    usual: dict[str, Any] = {"provider": provider, "model": "sim-mid", "prompt": PROMPT}
    return ModelRequest(**usual | fields)


@dataclass(kw_only=True)
class Run:
    """One attempt in an activity environment; `until` cancels it from within a heartbeat."""

    calls: ModelCalls
    attempt: int = 1
    heartbeat_details: Sequence[Any] = ()
    until: Callable[[dict[str, Any]], bool] = lambda beat: False
    why: ActivityCancellationDetails = field(
        default_factory=lambda: ActivityCancellationDetails(cancel_requested=True)
    )
    beats: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    async def __call__(self, request: ModelRequest) -> CallResult:
        env = ActivityEnvironment()
        env.info = replace(
            env.info, attempt=self.attempt, heartbeat_details=list(self.heartbeat_details)
        )

        def on_heartbeat(beat: dict[str, Any]) -> None:
            self.beats.append(beat)
            if self.until(beat):
                env.cancel(self.why)

        env.on_heartbeat = on_heartbeat
        return await env.run(self.calls.model_call, request)


@dataclass(frozen=True, kw_only=True)
class Vendors:
    """The activity under test and the truth about what it did."""

    standin: StandIn
    calls: ModelCalls

    @staticmethod
    @asynccontextmanager
    async def of(
        standin: StandIn, *, cancel_billing: CancelPolicies | None = None, **options: Any
    ) -> AsyncGenerator[Vendors]:
        """Both providers with `options` instead of the usual ones, closed at the end."""
        openai: dict[str, Any] = {"api_key": KEY, "base_url": standin.openai_base_url} | options
        anthropic: dict[str, Any] = {
            "api_key": KEY,
            "base_url": standin.anthropic_base_url,
        } | options
        calls = ModelCalls(
            providers={
                "openai": OpenAIProvider(**openai),
                "anthropic": AnthropicProvider(**anthropic),
            },
            prices=PRICES,
            cancel_billing=cancel_billing,
            now=lambda: PRICED_AT,
        )
        try:
            yield Vendors(standin=standin, calls=calls)
        finally:
            await calls.aclose()

    def answer(self, reply: Any, **fields: Any) -> None:
        """Script the one answer to everything: at once, and fast, unless told otherwise."""
        usual = {"match": "", "ttft_ms": 0, "tokens_per_second": 10_000}
        self.standin.set_rules([usual | {"reply": reply} | fields])

    async def complete(self, request: ModelRequest) -> Completed:
        """Run a call that must complete."""
        result = await Run(calls=self.calls)(request)
        assert isinstance(result, Completed)
        return result

    async def cut(self, request: ModelRequest, *, after_tokens: int) -> Cut:
        """Run a call and cut it once so many tokens have been counted."""
        run = Run(calls=self.calls, until=lambda beat: beat["delivered_tokens"] >= after_tokens)
        result = await run(request)
        assert isinstance(result, Cut)
        return result

    async def begun(self) -> None:
        """Return once the provider has delivered something."""
        async with asyncio.timeout(10):
            while not any(r["delivered_tokens"] for r in self.standin.requests()):  # noqa: ASYNC110
                await asyncio.sleep(0.001)

    async def last_request(self) -> dict[str, Any]:
        """The log entry of the last request, once it is closed."""
        async with asyncio.timeout(5):
            while (entry := self.standin.requests()[-1])["outcome"] == "running":  # noqa: ASYNC110
                await asyncio.sleep(0.001)
        return entry


def true_usd(prompt: str, system: str, delivered_tokens: int) -> Decimal:
    """What a call of `sim-mid` costs that delivers so much, by the stand-in's own tokenizer."""
    entering = count_tokens(prompt) + count_tokens(system)
    return (2 * Decimal(entering) + 10 * Decimal(delivered_tokens)).scaleb(-6)


async def failure_of(vendors: Vendors, request: ModelRequest) -> ApplicationError:
    """Run a call that must fail, check that the failure is fit to be stored, and return it."""
    with pytest.raises(ApplicationError) as caught:
        await Run(calls=vendors.calls)(request)
    stored = Failure()
    await pydantic_data_converter.encode_failure(caught.value, stored)
    for secret in (KEY, "very-secret", PROMPT, "Marple", "Bearer"):
        assert secret not in str(stored)
    assert not stored.HasField("cause")
    assert "\n" not in caught.value.message
    assert caught.value.message.startswith(f"{request.provider}:{request.model} ")
    return caught.value


def bill_of(failure: ApplicationError) -> Bill:
    """The bill that every failure carries."""
    bill = bill_of_failure(failure)
    assert bill is not None
    return bill

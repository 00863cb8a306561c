"""The model call: one request in, one answer out, and an account of what it cost.

The law: it never hears that a call is a speculation, and it never retries; both are the workflow's
business. It knows a `Provider`, not a vendor, so workflow modules may import this one.

The surprise: cancelling is a normal end. A cut closes the stream at once and *returns*, with the
bill; but only if a cut was asked for. A worker that shuts down cancels too, and returning then
would pass off half an answer as the end of the call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Any

from temporalio import activity

from forerun.activities.call_result import MAX_OUTPUT_BYTES, Completed, Cut
from forerun.activities.checkpoints import Checkpoints, Watch
from forerun.activities.failures import (
    Kind,
    ProviderError,
    application_error,
    bill_in,
    details_of,
)
from forerun.activities.heartbeat import cut_requested, heartbeating
from forerun.activities.meter import Meter, Metered
from forerun.activities.partial_reply import partial_reply
from forerun.activities.price_lookup import CancelPolicies, Prices
from forerun.activities.provider import Prompt, Provider
from forerun.activities.replies import (
    InvalidReply,
    UnusableSchema,
    output_bytes,
    parse_reply,
    system_text,
)
from forerun.activities.reply_stream import Reply, read_reply
from forerun.speculation.pricing import Rates
from forerun.speculation.token_counter import TokenCounter
from forerun.speculation.tokens import FRAMING_TOKENS

COUNTED_MODELS = 64
"""Models whose ways to count tokens are remembered: those called last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRequest:
    """One model call, and nothing about why it is made: a speculation is the same request.

    `prompt` is the last user message, sent unchanged; `system` carries the author's system text.
    At most one of `choices` and `schema` is set. `expected_output_tokens` only serves the bill of a
    cut call, `watch` says what the run wants to hear before the call ends.
    """

    provider: str
    model: str
    prompt: str
    system: str | None = None
    choices: tuple[str, ...] | None = None
    schema: dict[str, Any] | None = None
    max_output_tokens: int = 1024
    temperature: float | None = None
    expected_output_tokens: int = 256
    watch: Watch | None = None


def input_bytes(request: ModelRequest) -> int:
    """Upper bound of the input tokens of a call: all that is sent, in bytes, and the framing."""
    return len(_prompt(request).text.encode()) + FRAMING_TOKENS


class ModelCalls:
    """The activity that calls models. `providers` are known by the name that requests use."""

    def __init__(
        self,
        *,
        providers: Mapping[str, Provider],
        prices: Prices,
        cancel_billing: CancelPolicies | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._providers = providers
        self._prices = prices
        self._cancel_billing = cancel_billing or CancelPolicies()
        self._now = now
        self._counter = lru_cache(COUNTED_MODELS)(TokenCounter)

    @activity.defn(name="model_call")
    async def model_call(self, request: ModelRequest) -> Completed | Cut:
        """Run one attempt; the bill of the result covers the attempts before it as well.

        Raises:
            ApplicationError: see `failures.POSTURES`; its details carry the bill.
        """
        meter = self._meter(request)
        checkpoints = _checkpoints(request, meter)

        def details() -> dict[str, Any]:
            tokens = meter.delivered_tokens
            return details_of(meter.bill(), delivered_tokens=tokens, checkpoints=checkpoints.sent)

        try:
            async with heartbeating(details):
                return await self._answer(request, meter, checkpoints)
        except asyncio.CancelledError:
            if not cut_requested():
                raise
            return Cut(
                bill=meter.bill(),
                seconds=meter.seconds,
                first_token_seconds=meter.first_token_seconds,
                delivered_tokens=meter.delivered_tokens,
                expected_tokens=request.expected_output_tokens,
            )
        except ProviderError as error:
            operation = f"{request.provider}:{request.model}"
            raise application_error(error, operation=operation, bill=meter.bill()) from None

    async def aclose(self) -> None:
        """Close all providers; the worker has stopped."""
        for provider in self._providers.values():
            await provider.aclose()

    def _meter(self, request: ModelRequest) -> Meter:
        at = self._now()

        # A price look-up takes longer than everything else a heartbeat does.
        @cache
        def rates(input_tokens: int, service_tier: str | None) -> Rates | None:
            return self._prices.rates(
                request.provider,
                request.model,
                at,
                input_tokens=input_tokens,
                service_tier=service_tier,
            )

        return Meter(
            Metered(
                counter=self._counter(f"{request.provider}:{request.model}"),
                sent=_prompt(request).text,
                max_output_tokens=request.max_output_tokens,
                expected_output_tokens=request.expected_output_tokens,
                rates=rates,
                cancel_billing=self._cancel_billing.of(request.provider),
                earlier=bill_in(activity.info().heartbeat_details),
                attempt=activity.info().attempt,
            )
        )

    async def _answer(
        self, request: ModelRequest, meter: Meter, checkpoints: Checkpoints
    ) -> Completed:
        try:
            async with checkpoints.beside():
                reply = await self._read(request, meter, checkpoints.heard)
            output = _output(reply, request)
        except ProviderError as error:
            meter.failed(error.kind)
            await checkpoints.failed(error, request.provider)
            raise
        return Completed(
            output=output,
            bill=meter.bill(),
            seconds=meter.seconds,
            first_token_seconds=meter.first_token_seconds,
            finish_reason=reply.reason,
        )

    async def _read(
        self, request: ModelRequest, meter: Meter, heard: Callable[[str], None]
    ) -> Reply:
        provider = self._providers.get(request.provider)
        if provider is None:
            known = ", ".join(sorted(self._providers)) or "none"
            raise ProviderError(Kind.NO_PROVIDER, f"it has {known}")
        return await read_reply(provider, _prompt(request), meter, heard)


def _checkpoints(request: ModelRequest, meter: Meter) -> Checkpoints:
    watch, partial = request.watch, None
    if watch is not None and watch.output:
        partial = partial_reply(request.choices, request.schema, watch.field)
    return Checkpoints(watch, partial, lambda: meter.delivered_tokens)


def _prompt(request: ModelRequest) -> Prompt:
    return Prompt(
        model=request.model,
        system=system_text(request.system, request.choices, request.schema),
        user=request.prompt,
        max_output_tokens=request.max_output_tokens,
        temperature=request.temperature,
    )


def _output(reply: Reply, request: ModelRequest) -> Any:
    if reply.reason == "refused":
        raise ProviderError(Kind.REFUSED)
    try:
        output = parse_reply(reply.text, request.choices, request.schema)
        size = output_bytes(output)
    except InvalidReply as error:
        hint = "; it was cut at max_output_tokens" if reply.reason == "length" else ""
        raise ProviderError(Kind.INVALID_REPLY, f"{error}{hint}") from None
    except UnusableSchema as error:
        raise ProviderError(Kind.UNUSABLE_SCHEMA, str(error)) from None
    if size > MAX_OUTPUT_BYTES:
        raise ProviderError(
            Kind.OUTPUT_TOO_LARGE, f"{size} bytes of JSON, at most {MAX_OUTPUT_BYTES} are allowed"
        )
    return output

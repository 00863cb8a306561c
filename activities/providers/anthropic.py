"""Anthropic, and whatever speaks its Messages.

Two surprises. The number of input tokens comes first and the number of output tokens last, so a cut
stream has an exact input and a guessed output. And below the SDK's own exceptions, what happens to
the connection in mid-stream arrives raw from the HTTP layer.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from types import MappingProxyType

import anthropic
from anthropic.types import MessageDeltaUsage, RawMessageStreamEvent
from anthropic.types import Usage as StartUsage

from forerun.activities.failures import Kind, ProviderError
from forerun.activities.provider import Delta, Finished, Opened, Prompt
from forerun.activities.providers.connections import SILENCE_SECONDS, http_client, in_flight_ms
from forerun.activities.providers.wire_errors import (
    in_neutral_words,
    refusal,
    transport_failure,
)
from forerun.speculation.pricing import Usage

BASE_URL = "https://api.anthropic.com"

REASONS: Mapping[str, str] = MappingProxyType(
    {
        "end_turn": "stop",
        "stop_sequence": "stop",
        "max_tokens": "length",
        "model_context_window_exceeded": "length",
        "refusal": "refused",
    }
)
"""Stop reasons by the names they have here; another one keeps its own."""


class AnthropicProvider:
    """Calls models by Messages.

    `base_url` is without `/v1`. Key and address are always given explicitly: the SDK would read
    both from the environment or a profile, and could send the key of one place to another.
    """

    def __init__(
        self,
        *,
        api_key: str | None,
        base_url: str = BASE_URL,
        silence_seconds: float = SILENCE_SECONDS,
    ) -> None:
        key = (api_key or "").strip()
        self._client = _client(key, base_url, silence_seconds) if key else None

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Opened | Delta | Finished, None]:
        """See `Provider.stream`."""
        if self._client is None:
            raise ProviderError(Kind.NO_KEY, "set ANTHROPIC_API_KEY on the worker")
        progress = _Progress(in_flight_ms(self._client.base_url.host))
        with in_neutral_words(classified):
            async with await self._client.messages.create(
                model=prompt.model,
                system=anthropic.omit if prompt.system is None else prompt.system,
                messages=[{"role": "user", "content": prompt.user}],
                max_tokens=prompt.max_output_tokens,
                stream=True,
                extra_body=_extras(prompt),
            ) as events:
                async for event in events:
                    for said in progress.read(event):
                        yield said

    async def aclose(self) -> None:
        """See `Provider.aclose`."""
        if self._client is not None:
            await self._client.close()


class _Progress:
    """Puts the usage together: counts are cumulative, and later ones correct earlier ones."""

    def __init__(self, in_flight_ms: int) -> None:
        self._in_flight_ms = in_flight_ms
        self._counts = {"fresh": 0, "read": 0, "written": 0}
        self._output = 0
        self._thought: int | None = None
        self._shows_thinking = False
        self._reason: str | None = None
        self._service_tier: str | None = None

    def read(self, event: RawMessageStreamEvent) -> list[Opened | Delta | Finished]:
        """What an event says."""
        match event.type:
            case "message_start":
                self._service_tier = event.message.usage.service_tier
                self._count(event.message.usage)
                begun = self._usage(output_tokens=0)
                return [Opened(input_usage=begun, in_flight_ms=self._in_flight_ms)]
            case "content_block_delta":
                delta = _delta(event.delta)
                self._shows_thinking |= not delta.answer
                return [delta]
            case "message_delta":
                self._count(event.usage)
                # The count in `message_start` means nothing; this one is cumulative.
                self._output = event.usage.output_tokens
                details = event.usage.output_tokens_details
                self._thought = details.thinking_tokens if details else None
                self._reason = event.delta.stop_reason or self._reason
                return []
            case "message_stop" if self._reason is not None:
                return [self._finished(self._reason)]
            case _:
                return []

    def _finished(self, reason: str) -> Finished:
        return Finished(
            reason=REASONS.get(reason, reason),
            usage=self._usage(output_tokens=self._output),
            service_tier=self._service_tier,
            # What is shown may be all of it or a summary: only if nothing is, all is hidden.
            hidden_tokens=None if self._shows_thinking else self._thought,
        )

    def _count(self, usage: StartUsage | MessageDeltaUsage) -> None:
        told = {
            "fresh": usage.input_tokens,
            "read": usage.cache_read_input_tokens,
            "written": usage.cache_creation_input_tokens,
        }
        # Gateways leave out, or send as 0, what they do not know yet.
        self._counts |= {name: count for name, count in told.items() if count}

    def _usage(self, *, output_tokens: int) -> Usage:
        read, written = self._counts["read"], self._counts["written"]
        return Usage(
            # Theirs excludes what was read from or written to the cache; ours is the total.
            input_tokens=self._counts["fresh"] + read + written,
            output_tokens=output_tokens,
            cache_read_tokens=read,
            cache_write_tokens=written,
        )


def classified(error: Exception) -> ProviderError:
    """Any exception of the SDK or the HTTP layer below it, in neutral words."""
    match error:
        case anthropic.APIStatusError():
            codes = (error.error_code, error.type)
            return refusal(error.status_code, codes, error.response.headers)
        case anthropic.APITimeoutError():
            return _caused(error, Kind.TIMED_OUT)
        case anthropic.APIConnectionError():
            return _caused(error, Kind.INTERRUPTED)
        case anthropic.APIResponseValidationError():
            return ProviderError(Kind.UNEXPECTED, "the response is not of the documented form")
        case anthropic.CredentialsError():
            return ProviderError(Kind.UNAUTHENTICATED)
        case _:
            return transport_failure(error)


def _caused(error: Exception, otherwise: Kind) -> ProviderError:
    cause = error.__cause__
    return ProviderError(otherwise) if cause is None else transport_failure(cause)


def _client(key: str, base_url: str, silence_seconds: float) -> anthropic.AsyncAnthropic:
    return anthropic.AsyncAnthropic(
        api_key=key,
        base_url=base_url,
        max_retries=0,
        http_client=http_client(base_url, silence_seconds),
    )


def _extras(prompt: Prompt) -> dict[str, float] | None:
    """What the SDK has no argument for any more; a model that takes no temperature says so."""
    return None if prompt.temperature is None else {"temperature": prompt.temperature}


def _delta(delta: object) -> Delta:
    match delta:
        case anthropic.types.TextDelta():
            return Delta(text=delta.text)
        case anthropic.types.ThinkingDelta():
            return Delta(text=delta.thinking, answer=False)
        case _:
            return Delta(text="")

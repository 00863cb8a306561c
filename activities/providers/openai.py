"""OpenAI, and whatever speaks its Chat Completions.

Chat Completions and not Responses: it is what compatible servers implement, its finish reason tells
a whole answer from a truncated one, and its usage record holds all that is billed. Responses knows
no more about an interrupted stream: neither does it send a usage record then.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from types import MappingProxyType

import openai
from openai.types import CompletionUsage
from openai.types.chat import ChatCompletionChunk, ChatCompletionMessageParam

from forerun.activities.failures import Kind, ProviderError
from forerun.activities.provider import Delta, Finished, Opened, Prompt
from forerun.activities.providers.connections import SILENCE_SECONDS, http_client, in_flight_ms
from forerun.activities.providers.wire_errors import (
    in_neutral_words,
    refusal,
    transport_failure,
)
from forerun.speculation.pricing import Usage

BASE_URL = "https://api.openai.com/v1"

REASONS: Mapping[str, str] = MappingProxyType({"content_filter": "refused"})
"""Finish reasons that go by another name here; `stop` and `length` do not."""


class OpenAIProvider:
    """Calls models by Chat Completions.

    `base_url` includes `/v1`. Key and address are always given explicitly: the SDK would read both
    from the environment, and could send the key of one place to another. The organization, project
    and custom headers that the SDK reads there stay the user's business.
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
            raise ProviderError(Kind.NO_KEY, "set OPENAI_API_KEY on the worker")
        ending = _Ending()
        with in_neutral_words(classified):
            async with await self._client.chat.completions.create(
                model=prompt.model,
                messages=_messages(prompt),
                # Not `max_tokens`: reasoning models refuse it.
                max_completion_tokens=prompt.max_output_tokens,
                temperature=openai.omit if prompt.temperature is None else prompt.temperature,
                stream=True,
                stream_options={"include_usage": True},
            ) as chunks:
                yield Opened(in_flight_ms=in_flight_ms(self._client.base_url.host))
                async for chunk in chunks:
                    yield Delta(text=ending.read(chunk))
        if ending.reason is not None:
            yield Finished(
                reason=ending.reason,
                usage=ending.usage,
                service_tier=ending.service_tier,
                hidden_tokens=ending.hidden_tokens,
            )

    async def aclose(self) -> None:
        """See `Provider.aclose`."""
        if self._client is not None:
            await self._client.close()


class _Ending:
    """What the last chunks say. Some gateways say it twice, or in the same chunk."""

    def __init__(self) -> None:
        self.reason: str | None = None
        self.usage: Usage | None = None
        self.service_tier: str | None = None
        self.hidden_tokens: int | None = None

    def read(self, chunk: ChatCompletionChunk) -> str:
        """Take what a chunk says about the end, and return its text."""
        self.service_tier = chunk.service_tier or self.service_tier
        if chunk.usage is not None:
            self.usage = _usage(chunk.usage)
            details = chunk.usage.completion_tokens_details
            # Chat completions never stream reasoning.
            self.hidden_tokens = details.reasoning_tokens if details else None
        if not chunk.choices:
            return ""
        choice = chunk.choices[0]
        if choice.delta.refusal:
            self.reason = "refused"
        elif choice.finish_reason and self.reason is None:
            self.reason = REASONS.get(choice.finish_reason, choice.finish_reason)
        return choice.delta.content or ""


def classified(error: Exception) -> ProviderError:
    """Any exception of the SDK or the HTTP layer below it, in neutral words."""
    match error:
        case openai.APIStatusError():
            codes = (error.code, error.type, error.param)
            return refusal(error.status_code, codes, error.response.headers)
        case openai.APITimeoutError():
            return _caused(error, Kind.TIMED_OUT)
        case openai.APIConnectionError():
            return _caused(error, Kind.INTERRUPTED)
        case openai.APIResponseValidationError():
            return ProviderError(Kind.UNEXPECTED, "the response is not of the documented form")
        case openai.APIError():
            # Without a status: an error event inside a stream.
            return refusal(200, (error.code, error.type, error.param), {})
        case _:
            return transport_failure(error)


def _caused(error: Exception, otherwise: Kind) -> ProviderError:
    cause = error.__cause__
    return ProviderError(otherwise) if cause is None else transport_failure(cause)


def _client(key: str, base_url: str, silence_seconds: float) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(
        api_key=key,
        admin_api_key="",
        base_url=base_url,
        max_retries=0,
        http_client=http_client(base_url, silence_seconds),
    )


def _messages(prompt: Prompt) -> list[ChatCompletionMessageParam]:
    user: ChatCompletionMessageParam = {"role": "user", "content": prompt.user}
    if prompt.system is None:
        return [user]
    return [{"role": "system", "content": prompt.system}, user]


def _usage(record: CompletionUsage) -> Usage:
    details = record.prompt_tokens_details
    return Usage(
        input_tokens=record.prompt_tokens,
        output_tokens=record.completion_tokens,
        cache_read_tokens=(details and details.cached_tokens) or 0,
        cache_write_tokens=(details and details.cache_write_tokens) or 0,
    )

"""OpenAI's embeddings, and whatever speaks their API."""

from __future__ import annotations

from collections.abc import Sequence

import openai
from openai.types import CreateEmbeddingResponse

from forerun.activities.failures import Kind, ProviderError
from forerun.activities.providers.connections import http_client
from forerun.activities.providers.openai import BASE_URL, classified
from forerun.activities.providers.wire_errors import in_neutral_words
from forerun.activities.similarity import Embedded
from forerun.speculation.pricing import Usage

MODEL = "text-embedding-3-small"

SILENCE_SECONDS = 10.0
"""How long an answer may take. It is short, and somebody waits who could do without it."""


class OpenAIEmbeddings:
    """Embeds by a model of OpenAI; `base_url` includes `/v1`. See `OpenAIProvider` for both."""

    is_local = False

    def __init__(
        self,
        *,
        api_key: str | None,
        base_url: str = BASE_URL,
        model: str = MODEL,
        silence_seconds: float = SILENCE_SECONDS,
    ) -> None:
        self.operation = f"openai:{model}"
        self._model = model
        key = (api_key or "").strip()
        self._client = _client(key, base_url, silence_seconds) if key else None

    async def embed(self, texts: Sequence[str]) -> Embedded:
        """See `Similarity.embed`."""
        if self._client is None:
            raise ProviderError(Kind.NO_KEY, "set OPENAI_API_KEY on the worker")
        with in_neutral_words(classified):
            response = await self._client.embeddings.create(
                model=self._model,
                input=list(texts),
                # The SDK would ask for base64, which not every compatible server knows.
                encoding_format="float",
            )
            return _embedded(response)

    async def aclose(self) -> None:
        """See `Similarity.aclose`."""
        if self._client is not None:
            await self._client.close()


def _client(key: str, base_url: str, silence_seconds: float) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(
        api_key=key,
        admin_api_key="",
        base_url=base_url,
        max_retries=0,
        http_client=http_client(base_url, silence_seconds),
    )


def _embedded(response: CreateEmbeddingResponse) -> Embedded:
    in_order = sorted(response.data, key=lambda item: item.index)
    return Embedded(
        vectors=tuple(tuple(item.embedding) for item in in_order),
        usage=Usage(input_tokens=response.usage.prompt_tokens),
    )

"""Embeddings by the letter: true usage, the log, the rules' timing and faults, and no meaning."""

from __future__ import annotations

import math
from typing import Any

import httpx2
import pytest
from openai import AsyncOpenAI, InternalServerError, RateLimitError, omit

from forerun.workers.standin.embeddings import DIMENSIONS, vector
from forerun.workers.standin.serve import StandIn
from forerun.workers.standin.tokenizer import count_tokens

MODEL = "text-embedding-3-small"
FAST = {"match": "", "reply": "", "ttft_ms": 0}
TEXTS = ["The refund is due.", "Wir schließen um zehn.", "The refund is due."]


def cosine(one: str, other: str) -> float:
    return math.fsum(a * b for a, b in zip(vector(one), vector(other), strict=True))


@pytest.mark.parametrize("encoding", ["float", omit], ids=["numbers", "base64"])
async def test_one_vector_per_text_and_true_usage(
    standin: StandIn, openai: AsyncOpenAI, encoding: Any
) -> None:
    """In order, the same for the same text; charged and logged by their tokens.

    Where it is not told otherwise, the SDK asks for base64, and decodes it.
    """
    standin.set_rules([FAST])

    answer = await openai.embeddings.create(model=MODEL, input=TEXTS, encoding_format=encoding)

    vectors = [item.embedding for item in answer.data]
    assert [item.index for item in answer.data] == [0, 1, 2]
    assert vectors[0] == vectors[2] != vectors[1]
    assert vectors[1] == pytest.approx(vector(TEXTS[1]), abs=1e-6)
    assert {len(numbers) for numbers in vectors} == {DIMENSIONS}
    assert answer.usage.prompt_tokens == sum(map(count_tokens, TEXTS))
    [entry] = standin.requests()
    assert entry["model"] == MODEL
    assert entry["user"] == "\n".join(TEXTS)
    assert (entry["outcome"], entry["delivered_tokens"]) == ("completed", 0)


def test_it_is_lexical() -> None:
    """Spelling is all it knows: an order number hardly counts, another wording counts for all."""
    order = "The customer asks for a refund of the order {} since the lamp arrived broken."

    assert cosine(order.format(4821), order.format(4822)) > 0.95
    assert cosine("The lamp is broken.", "THE  lamp is broken.") == pytest.approx(1)
    assert cosine("The customer wants their money back.", "He is asking for a refund.") < 0.5


@pytest.mark.parametrize(("fault", "kind"), [("429", RateLimitError), ("500", InternalServerError)])
async def test_faults(
    standin: StandIn, openai: AsyncOpenAI, fault: str, kind: type[Exception]
) -> None:
    """Scripted by model, as for answers; other models go on."""
    standin.set_rules([{"match": "", "model": "text-*", "fault": fault}, FAST])

    with pytest.raises(kind):
        await openai.embeddings.create(model=MODEL, input="x")
    await openai.embeddings.create(model="another", input="x")

    assert [entry["outcome"] for entry in standin.requests()] == ["faulted", "completed"]


@pytest.mark.parametrize(
    "body", ["{}", '{"model": "m", "input": []}', '{"model": "m", "input": ""}']
)
async def test_unreadable_request(standin: StandIn, body: str) -> None:
    """A 400 in the vendor's form, and not in the log."""
    async with httpx2.AsyncClient(base_url=standin.openai_base_url) as client:
        reply = await client.post("embeddings", content=body)

    assert reply.status_code == 400
    assert reply.json()["error"]["type"] == "invalid_request_error"
    assert standin.requests() == []

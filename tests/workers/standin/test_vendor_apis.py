"""What callers see through the vendors' own SDKs is what was scripted, and usage is true."""

from __future__ import annotations

import asyncio
import json

import pytest
from anthropic import AsyncAnthropic
from openai import AsyncOpenAI

from forerun.workers.standin.serve import StandIn
from forerun.workers.standin.tokenizer import count_tokens, tokenize
from tests.workers.standin.callers import Api

FAST = {"ttft_ms": 0, "tokens_per_second": 5000}
LETTER = "Dear customer, your refund of 24.90 was sent on Monday."
ENDS = {"stop", "completed", "end_turn"}
CUTS = {"length", "max_output_tokens", "max_tokens"}

streaming = pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])


@streaming
async def test_reply_and_usage(standin: StandIn, api: Api, stream: bool) -> None:
    """A scripted text arrives unchanged, and its usage is the tokens of prompt and text."""
    standin.set_rules([{"match": "refund", "reply": LETTER, **FAST}])

    answer = await api("Where is my refund?", stream=stream)

    assert answer.text == LETTER
    assert answer.finish in ENDS
    assert answer.usage == (count_tokens("Where is my refund?"), count_tokens(LETTER))
    [entry] = standin.requests()
    assert entry["outcome"] == "completed"
    assert entry["delivered_tokens"] == count_tokens(LETTER)
    assert entry["user"] == "Where is my refund?"
    assert entry["started"] <= entry["ended"] == entry["closed_at"]


async def test_one_event_per_token(standin: StandIn, api: Api) -> None:
    """A stream brings one token per event."""
    standin.set_rules([{"match": "", "reply": LETTER, **FAST}])

    assert tuple((await api("x")).deltas) == tokenize(LETTER)


@streaming
async def test_json_reply(standin: StandIn, api: Api, stream: bool) -> None:
    """A JSON reply is sent as its compact text, also when it must be longer than it is."""
    reply = {"topic": "Rücksendung", "ids": [4821, 4822], "urgent": False, "note": None}
    standin.set_rules([{"match": "", "reply": reply, "output_tokens": 60, **FAST}])

    answer = await api("classify", stream=stream)

    assert answer.text.startswith('{"topic":"Rücksendung","ids":[4821,4822]')
    assert json.loads(answer.text) == reply
    assert answer.usage is not None
    assert answer.usage[1] == 60 == standin.requests()[0]["delivered_tokens"]


@streaming
async def test_cut_at_maximum(standin: StandIn, api: Api, stream: bool) -> None:
    """A reply longer than the requested maximum ends there, with the vendor's length reason."""
    standin.set_rules([{"match": "", "reply": LETTER, **FAST}])

    answer = await api("x", stream=stream, maximum=4)

    assert answer.text == "".join(tokenize(LETTER)[:4])
    assert answer.finish in CUTS
    assert answer.usage == (1, 4)


@streaming
async def test_exactly_the_maximum_is_not_cut(standin: StandIn, api: Api, stream: bool) -> None:
    """A reply as long as the maximum is a finished reply."""
    standin.set_rules([{"match": "", "reply": LETTER, **FAST}])

    answer = await api("x", stream=stream, maximum=count_tokens(LETTER))

    assert answer.finish in ENDS


@streaming
async def test_scripted_length(standin: StandIn, api: Api, stream: bool) -> None:
    """`output_tokens` is the length that is delivered and charged, and a choice stays a choice."""
    standin.set_rules([{"match": "", "reply": "billing", "output_tokens": 25, **FAST}])

    answer = await api("x", stream=stream)

    assert answer.text.strip() == "billing"
    assert answer.usage == (1, 25)
    assert len(answer.deltas) == (25 if stream else 1)


@streaming
async def test_empty_reply(standin: StandIn, api: Api, stream: bool) -> None:
    """An empty reply is a finished answer of no tokens."""
    standin.set_rules([{"match": "", "reply": "", **FAST}])

    answer = await api("x", stream=stream)

    assert (answer.text, answer.usage) == ("", (1, 0))
    assert answer.finish in ENDS


async def test_made_up_reply_depends_on_the_prompt_only(
    standin: StandIn, apis: dict[str, Api]
) -> None:
    """Without a matching rule every API and every model answers a prompt with the same text."""
    standin.set_rules([{"match": "^no such prompt$", "reply": "no"}])

    async def texts(prompt: str) -> set[str]:
        asked = [
            api(prompt, model=model, stream=False, maximum=3)
            for api in apis.values()
            for model in ("sim-small", "unheard-of")
        ]
        return {answer.text for answer in await asyncio.gather(*asked)}

    one, two = await asyncio.gather(texts("one"), texts("two"))

    assert len(one) == len(two) == 1
    assert one != two


async def test_hidden_tokens(standin: StandIn, apis: dict[str, Api]) -> None:
    """A reasoning model charges for more than it delivers, but never for more than the maximum."""
    standin.set_rules([{"match": "", "reply": LETTER, **FAST}])
    for api in apis.values():
        answer = await api("x", model="sim-reasoning", maximum=40)

        assert answer.text == LETTER
        assert answer.usage == (1, 20 + count_tokens(LETTER))


async def test_chat_usage_must_be_asked_for(standin: StandIn, openai: AsyncOpenAI) -> None:
    """A Chat Completions stream has no usage chunk unless `include_usage` is set."""
    standin.set_rules([{"match": "", "reply": "hello", **FAST}])

    async with await openai.chat.completions.create(
        model="m", messages=[{"role": "user", "content": "x"}], stream=True
    ) as events:
        chunks = [chunk async for chunk in events]

    assert all(chunk.usage is None and chunk.choices for chunk in chunks)
    assert chunks[-1].choices[0].finish_reason == "stop"


async def test_high_level_streams(
    standin: StandIn, openai: AsyncOpenAI, anthropic: AsyncAnthropic
) -> None:
    """The SDKs' accumulating stream helpers understand the event sequences to the end."""
    standin.set_rules([{"match": "", "reply": LETTER, **FAST}])

    async with openai.chat.completions.stream(
        model="m", messages=[{"role": "user", "content": "x"}]
    ) as chat:
        completion = await chat.get_final_completion()
    async with openai.responses.stream(model="m", input="x") as responses:
        response = await responses.get_final_response()
    async with anthropic.messages.stream(
        model="m", max_tokens=100, messages=[{"role": "user", "content": "x"}]
    ) as messages:
        text = await messages.get_final_text()
        request_id = messages.request_id

    assert completion.choices[0].message.content == response.output_text == text == LETTER
    assert request_id is not None


@streaming
async def test_never_early(standin: StandIn, api: Api, stream: bool) -> None:
    """An answer takes its time to first token, then tokens / tokens per second."""
    rule = {"match": "", "reply": "a b c d", "ttft_ms": 60, "tokens_per_second": 100}
    standin.set_rules([rule])

    await api("x", stream=stream)

    [entry] = standin.requests()
    clocks_differ = 0.002
    assert entry["ended"] - entry["started"] >= 0.060 + 4 / 100 - clocks_differ

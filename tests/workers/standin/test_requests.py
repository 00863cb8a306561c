"""What the stand-in reads in a request, what it charges for it, and what it refuses."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
from anthropic import AsyncAnthropic
from openai import AsyncOpenAI

from forerun.workers.standin.serve import StandIn
from forerun.workers.standin.tokenizer import count_tokens

FAST = {"ttft_ms": 0, "tokens_per_second": 5000}


async def test_last_user_message(standin: StandIn, openai: AsyncOpenAI) -> None:
    """Rules look at the last user message alone, whatever comes before or after it."""
    standin.set_rules([{"match": "^second\nhalf$", "reply": "yes", **FAST}])

    reply = await openai.chat.completions.create(
        model="sim-mid",
        messages=[
            {"role": "system", "content": "be brief"},
            {"role": "user", "content": "first"},
            {"role": "assistant", "content": "well"},
            {
                "role": "user",
                "content": [{"type": "text", "text": "second"}, {"type": "text", "text": "half"}],
            },
        ],
    )

    assert reply.choices[0].message.content == "yes"
    assert reply.usage is not None
    assert reply.usage.prompt_tokens == sum(
        count_tokens(text) for text in ("be brief", "first", "well", "second\nhalf")
    )


async def test_system_prompts_are_charged(
    standin: StandIn, openai: AsyncOpenAI, anthropic: AsyncAnthropic
) -> None:
    """System text counts as input and is not searched."""
    standin.set_rules(
        [{"match": "brief", "reply": "wrong"}, {"match": "x", "reply": "right", **FAST}]
    )

    response = await openai.responses.create(model="m", instructions="be brief", input="x")
    message = await anthropic.messages.create(
        model="m",
        max_tokens=9,
        system="be brief",
        messages=[{"role": "user", "content": "x"}],
    )

    assert response.output_text == "right"
    assert response.usage is not None
    assert response.usage.input_tokens == message.usage.input_tokens == 3


async def test_request_ids(standin: StandIn, openai: AsyncOpenAI) -> None:
    """Every answer has a request id of its own, in the vendor's header."""
    standin.set_rules([{"match": "", "reply": "hello", **FAST}])
    create = openai.responses.with_raw_response.create

    replies = [await create(model="m", input="x") for _ in range(2)]

    assert len({reply.headers["x-request-id"] for reply in replies}) == 2


@pytest.mark.parametrize("header", [{"authorization": "Bearer k"}, {"x-api-key": "k"}])
async def test_auth_and_unknown_fields(standin: StandIn, header: dict[str, str]) -> None:
    """Both ways of sending a key are taken, and fields of tomorrow's SDKs are ignored."""
    standin.set_rules([{"match": "", "reply": "hello", **FAST}])
    body: dict[str, Any] = {
        "model": "m",
        "max_tokens": 5,
        "messages": [{"role": "user", "content": "x", "new": 1}],
        "thinking": {"type": "disabled"},
    }

    async with httpx2.AsyncClient(base_url=standin.url, headers=header) as client:
        reply = await client.post("/v1/messages", json=body)

    assert reply.status_code == 200
    assert reply.headers["request-id"]


@pytest.mark.parametrize("path", ["chat/completions", "responses", "messages"])
@pytest.mark.parametrize("body", ["{}", "not json", '{"model": "m", "messages": [], "input": 1}'])
async def test_unreadable_request(standin: StandIn, path: str, body: str) -> None:
    """A request no vendor would take is a 400 in the vendor's form, and is not in the log."""
    async with httpx2.AsyncClient(base_url=standin.openai_base_url) as client:
        reply = await client.post(path, content=body)

    assert reply.status_code == 400
    assert reply.json()["error"]["type"] == "invalid_request_error"
    assert standin.requests() == []

"""Every fault reaches the caller as the exception the vendors' SDKs raise for the real thing."""

from __future__ import annotations

import json

import anthropic
import httpx2
import openai
import pytest

from forerun.workers.standin.serve import StandIn
from tests.workers.standin.callers import Answer, Api

REPLY = "one two three four five"
HALF = "one two three"

# Per fault: what openai raises, what anthropic raises.
STREAMED: dict[str, tuple[type[Exception], type[Exception]]] = {
    "429": (openai.RateLimitError, anthropic.RateLimitError),
    "500": (openai.InternalServerError, anthropic.InternalServerError),
    "reset": (openai.APIConnectionError, httpx2.ReadError),
    "sse_error": (openai.APIError, anthropic.APIStatusError),
}
WHOLE: dict[str, tuple[type[Exception], type[Exception]]] = {
    "429": (openai.RateLimitError, anthropic.RateLimitError),
    "500": (openai.InternalServerError, anthropic.InternalServerError),
    "reset": (openai.APIConnectionError, anthropic.APIConnectionError),
    "sse_error": (openai.InternalServerError, anthropic.InternalServerError),
    "truncate": (json.JSONDecodeError, json.JSONDecodeError),
}
NAMES = ("chat", "responses", "messages")


async def provoke(
    standin: StandIn, api: Api, fault: str, *, answer: Answer | None = None, stream: bool = True
) -> Exception:
    """The exception that `fault` ends in."""
    rule = {"match": "", "reply": REPLY, "fault": fault, "ttft_ms": 0, "tokens_per_second": 1000}
    standin.set_rules([rule])
    with pytest.raises(Exception) as raised:  # noqa: PT011 - the tests compare the exact type
        await api("x", answer=answer, stream=stream)
    await standin.idle()
    assert isinstance(raised.value, Exception)
    return raised.value


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("fault", STREAMED)
async def test_streaming(standin: StandIn, apis: dict[str, Api], name: str, fault: str) -> None:
    """A stream that breaks has delivered half of its tokens; a refused one none."""
    answer = Answer()

    error = await provoke(standin, apis[name], fault, answer=answer)

    assert type(error) is STREAMED[fault][name == "messages"]
    assert answer.text == ("" if fault in ("429", "500") else HALF)
    assert answer.finish is answer.usage is None
    [entry] = standin.requests()
    assert entry["outcome"] == "faulted"
    assert entry["delivered_tokens"] == len(answer.deltas)
    assert entry["closed_at"] is not None


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("fault", WHOLE)
async def test_whole(standin: StandIn, apis: dict[str, Api], name: str, fault: str) -> None:
    """An answer that does not stream breaks as a whole: nothing of it was delivered."""
    error = await provoke(standin, apis[name], fault, stream=False)

    assert type(error) is WHOLE[fault][name == "messages"]
    [entry] = standin.requests()
    assert (entry["outcome"], entry["delivered_tokens"]) == ("faulted", 0)


async def test_truncated_stream(standin: StandIn, api: Api) -> None:
    """A truncated stream ends without any error: only the terminal event is missing."""
    standin.set_rules([{"match": "", "reply": REPLY, "fault": "truncate", "ttft_ms": 0}])

    answer = await api("x")

    assert answer.text == HALF
    assert answer.finish is answer.usage is None
    [entry] = standin.requests()
    assert (entry["outcome"], entry["delivered_tokens"]) == ("faulted", 3)


async def test_error_kinds(standin: StandIn, apis: dict[str, Api]) -> None:
    """Error objects carry the vendor's type, and an Anthropic error event comes under status 200."""
    chat = await provoke(standin, apis["chat"], "sse_error")
    messages = await provoke(standin, apis["messages"], "sse_error")
    limited = await provoke(standin, apis["responses"], "429")

    assert isinstance(chat, openai.APIError)
    assert chat.code == "server_error"
    assert isinstance(messages, anthropic.APIStatusError)
    assert (messages.status_code, messages.type) == (200, "overloaded_error")
    assert isinstance(limited, openai.RateLimitError)
    assert limited.response.headers["retry-after"] == "1"


async def test_a_fault_may_come_without_reply(standin: StandIn, api: Api) -> None:
    """A rule that only breaks something needs no reply, and `times` lets the next call pass."""
    standin.set_rules(
        [
            {"match": "", "fault": "500", "times": 1},
            {"match": "", "reply": "fine", "ttft_ms": 0},
        ]
    )

    with pytest.raises((openai.InternalServerError, anthropic.InternalServerError)):
        await api("x")

    assert (await api("x")).text == "fine"

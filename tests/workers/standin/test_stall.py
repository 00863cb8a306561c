"""A server that falls silent is left by its clients, and the log says whose fault it was."""

from __future__ import annotations

import anthropic
import httpx2
import openai
import pytest

from forerun.workers.standin.serve import StandIn
from tests.workers.standin.callers import Answer, Api

STALL = {
    "match": "",
    "reply": "one two three four five",
    "fault": "stall",
    "ttft_ms": 0,
    "tokens_per_second": 1000,
}


@pytest.fixture(name="patience")
def _patience() -> float:
    """Long enough for tokens a millisecond apart."""
    return 0.3


async def test_stalled_stream(standin: StandIn, api: Api) -> None:
    """A stalled stream has delivered half of its tokens and then says nothing, for ever."""
    standin.set_rules([STALL])
    answer = Answer()

    with pytest.raises((openai.APITimeoutError, httpx2.ReadTimeout)):
        await api("x", answer=answer)
    await standin.idle()

    assert answer.text == "one two three"
    [entry] = standin.requests()
    assert (entry["outcome"], entry["delivered_tokens"]) == ("faulted", 3)
    assert entry["closed_at"] is not None


async def test_stalled_whole(standin: StandIn, api: Api) -> None:
    """An answer that does not stream stalls before its first byte."""
    standin.set_rules([STALL])

    with pytest.raises((openai.APITimeoutError, anthropic.APITimeoutError)):
        await api("x", stream=False)
    await standin.idle()

    [entry] = standin.requests()
    assert (entry["outcome"], entry["delivered_tokens"]) == ("faulted", 0)

"""Reasoning that is billed and never sent, as both vendors' records tell of it, over HTTP."""

from __future__ import annotations

import pytest

from forerun.activities.model_call import ModelRequest
from forerun.activities.provider import Finished, Prompt
from forerun.activities.providers.anthropic import AnthropicProvider
from forerun.activities.providers.openai import OpenAIProvider
from tests.activities.vendors import KEY, Vendors, request


@pytest.mark.parametrize("model", ["sim-reasoning", "sim-mid"])
async def test_both_vendors_say_what_they_did_not_send(vendors: Vendors, model: str) -> None:
    """Of the billed output, half the maximum was thought by a model that reasons, else nothing."""
    vendors.answer("one two three")
    standin = vendors.standin
    prompt = Prompt(model=model, system=None, user="Think.", max_output_tokens=40, temperature=None)
    for provider in (
        OpenAIProvider(api_key=KEY, base_url=standin.openai_base_url),
        AnthropicProvider(api_key=KEY, base_url=standin.anthropic_base_url),
    ):
        *_, finished = [event async for event in provider.stream(prompt)]
        await provider.aclose()

        assert isinstance(finished, Finished)
        assert finished.hidden_tokens == (20 if model == "sim-reasoning" else 0)


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
async def test_answers_teach_how_to_count_whatever_was_thought_before(
    vendors: Vendors, provider: str
) -> None:
    """After three calls a cut one of a model that reasons is counted by what was sent of it."""
    vendors.answer("Whatever may be said of it in so many words, it is an answer. " * 9)
    for _ in range(3):
        await vendors.complete(_reasoning(provider))
    vendors.answer("Whatever may be said of it in so many words, " * 40, tokens_per_second=200)

    cut = await vendors.cut(_reasoning(provider), after_tokens=30)

    true_tokens = (await vendors.last_request())["delivered_tokens"]
    assert abs(cut.delivered_tokens - true_tokens) <= 0.1 * true_tokens + 5


def _reasoning(provider: str) -> ModelRequest:
    return request(provider, model="sim-reasoning", max_output_tokens=2000)

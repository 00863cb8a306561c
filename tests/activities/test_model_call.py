"""The model call activity over the real SDKs: what comes back, and what it is said to have cost."""

from __future__ import annotations

import pytest
from temporalio.exceptions import ApplicationError

from forerun.activities.call_result import MAX_OUTPUT_BYTES
from forerun.activities.failures import Kind, bill_of_failure
from forerun.activities.model_call import input_bytes
from forerun.speculation.billing import Basis, exact_cost
from forerun.speculation.pricing import Usage
from forerun.workers.standin.tokenizer import count_tokens
from tests.activities.vendors import PRICED_AT, PROMPT, Run, Vendors, request, true_usd

BOTH = pytest.mark.parametrize("provider", ["openai", "anthropic"])
ANSWER = "It is about billing, says the third line of the message, and nobody doubts it."


@BOTH
async def test_a_complete_answer_costs_exactly_what_the_provider_says(
    vendors: Vendors, provider: str
) -> None:
    """Usage is the provider's own, and dollars are its tokens at their rates, to the last digit."""
    vendors.answer(ANSWER)

    result = await vendors.complete(request(provider))

    tokens = count_tokens(ANSWER)
    assert result.output == ANSWER
    assert result.finish_reason == "stop"
    assert result.bill.usage == Usage(input_tokens=count_tokens(PROMPT), output_tokens=tokens)
    assert result.bill.cost == exact_cost(true_usd(PROMPT, "", tokens))
    assert result.bill.attempts == 1
    assert result.bill.rates is not None
    assert result.bill.rates.priced_at == PRICED_AT.isoformat()
    assert 0 < (result.first_token_seconds or 0) <= result.seconds
    assert (await vendors.last_request())["outcome"] == "completed"


@BOTH
async def test_the_prompt_is_the_last_user_message_unchanged(
    vendors: Vendors, provider: str
) -> None:
    """Whatever is added goes into the system text."""
    vendors.answer("bug")

    await vendors.complete(request(provider, system="Be brief.", choices=("billing", "bug")))

    assert (await vendors.last_request())["user"] == PROMPT


@BOTH
async def test_an_answer_cut_at_the_maximum_is_an_answer(vendors: Vendors, provider: str) -> None:
    """The vendor's length reason is no error for free text."""
    vendors.answer(ANSWER)

    result = await vendors.complete(request(provider, max_output_tokens=5))

    assert result.finish_reason == "length"
    assert ANSWER.startswith(result.output)
    assert result.bill.usage.output_tokens == 5


@BOTH
async def test_a_choice_is_returned_as_it_is_spelled(vendors: Vendors, provider: str) -> None:
    """White space around it does not count."""
    vendors.answer("\n  bug \n")

    result = await vendors.complete(request(provider, choices=("billing", "bug")))

    assert result.output == "bug"


@BOTH
@pytest.mark.parametrize("reply", ["Bug", "bugs", "a bug", ""])
async def test_a_reply_that_is_no_choice_fails_with_its_exact_bill(
    vendors: Vendors, provider: str, reply: str
) -> None:
    """Another attempt may help; this one was answered and is paid for."""
    vendors.answer(reply, output_tokens=6)

    with pytest.raises(ApplicationError) as failure:
        await Run(calls=vendors.calls)(request(provider, choices=("billing", "bug")))

    assert failure.value.type == Kind.INVALID_REPLY
    assert not failure.value.non_retryable
    bill = bill_of_failure(failure.value)
    assert bill is not None
    assert bill.usage.output_tokens > 0
    assert bill.cost.basis is Basis.EXACT


SCHEMA = {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]}


@BOTH
async def test_a_schema_reply_is_canonical_data(vendors: Vendors, provider: str) -> None:
    """Parsed, validated, and spelled in one way: 7.0 is 7."""
    vendors.answer('{"name": "Zoe\\u0301", "id": 7.0}')

    result = await vendors.complete(request(provider, schema=SCHEMA))

    assert result.output == {"id": 7, "name": "Zoé"}


@BOTH
@pytest.mark.parametrize("reply", ['{"id": "7"}', '{"id": NaN}', "{", '{"id": 1} and more'])
async def test_a_reply_outside_the_schema_fails(
    vendors: Vendors, provider: str, reply: str
) -> None:
    """Invalid, cut short, or followed by chatter: retryable."""
    vendors.answer(reply)

    with pytest.raises(ApplicationError) as failure:
        await Run(calls=vendors.calls)(request(provider, schema=SCHEMA))

    assert failure.value.type == Kind.INVALID_REPLY
    assert not failure.value.non_retryable


@BOTH
async def test_a_json_reply_cut_at_the_maximum_says_so(vendors: Vendors, provider: str) -> None:
    """The one thing the author can mend is named."""
    vendors.answer({"id": 12345678, "text": "long"})

    with pytest.raises(ApplicationError, match="cut at max_output_tokens"):
        await Run(calls=vendors.calls)(request(provider, schema=SCHEMA, max_output_tokens=2))


async def test_an_output_over_256_kb_is_not_asked_for_again(vendors: Vendors) -> None:
    """It would not fit into the history, and the next one would be as long."""
    # One giant token: the limit is on bytes.
    vendors.answer("x" * (MAX_OUTPUT_BYTES + 1), output_tokens=1)

    with pytest.raises(ApplicationError, match="OutputTooLarge") as failure:
        await Run(calls=vendors.calls)(request("openai"))

    assert failure.value.non_retryable


async def test_input_bytes_bound_the_input_tokens(vendors: Vendors) -> None:
    """What is reserved before a launch is never exceeded."""
    vendors.answer("bug")
    asked = request("openai", system="Be brief.", choices=("billing", "bug"))

    result = await vendors.complete(asked)

    assert result.bill.usage.input_tokens <= input_bytes(asked)

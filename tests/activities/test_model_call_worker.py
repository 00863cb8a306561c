"""Model calls on a real worker and a real server: what reaches the workflow."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import uuid4

from temporalio.client import Client, WorkflowHandle
from temporalio.worker import Worker

from forerun.activities.model_call import ModelRequest
from forerun.speculation.billing import FREE, Basis, exact_cost
from forerun.speculation.pricing import Usage
from forerun.workers.standin.tokenizer import count_tokens
from tests.activities.call_flow import CallFlow, Learned
from tests.activities.vendors import PROMPT, Vendors, request, true_usd

ANSWER = "It is about billing, says the third line of the message, and nobody doubts it."


@asynccontextmanager
async def started(
    client: Client, vendors: Vendors, request: ModelRequest, *, attempts: int = 1
) -> AsyncGenerator[WorkflowHandle[Any, Learned]]:
    """The workflow, with a worker that runs it as long as it is looked at."""
    queue = f"calls-{uuid4()}"
    async with Worker(
        client,
        task_queue=queue,
        workflows=[CallFlow],
        activities=[vendors.calls.model_call],
        max_heartbeat_throttle_interval=timedelta(milliseconds=250),
    ):
        yield await client.start_workflow(
            CallFlow.run, args=[request, attempts], id=queue, task_queue=queue
        )


async def test_a_cut_comes_back_as_a_cut(temporal_client: Client, vendors: Vendors) -> None:
    """With its bill, typed, and with the stream closed."""
    vendors.answer(ANSWER, tokens_per_second=50, output_tokens=1000)

    async with started(temporal_client, vendors, request("openai")) as run:
        await vendors.begun()
        await run.signal(CallFlow.cut)
        learned = await run.result()

    assert learned.kind == "cut"
    assert learned.bill is not None
    assert learned.bill.cost.basis is Basis.ESTIMATED
    entry = await vendors.last_request()
    assert entry["outcome"] == "disconnected"
    true = true_usd(PROMPT, "", entry["delivered_tokens"])
    assert (learned.bill.cost.low_usd or 0) <= true <= (learned.bill.cost.high_usd or 0)


async def test_a_retry_hands_its_bill_to_the_next(
    temporal_client: Client, vendors: Vendors
) -> None:
    """Through the server: one broken attempt and one that completes are both paid for."""
    broken = {"match": "", "reply": ANSWER, "fault": "reset", "times": 1, "ttft_ms": 0}
    whole = {"match": "", "reply": ANSWER, "ttft_ms": 0}
    fast = {"tokens_per_second": 10_000}
    vendors.standin.set_rules([broken | fast, whole | fast])

    async with started(temporal_client, vendors, request("anthropic"), attempts=3) as run:
        learned = await run.result()

    entering, leaving = count_tokens(PROMPT), count_tokens(ANSWER)
    assert learned.kind == "completed"
    assert learned.output == ANSWER
    assert learned.bill is not None
    assert learned.bill.attempts == 2
    assert learned.bill.usage.input_tokens == 2 * entering
    assert learned.bill.usage.output_tokens > leaving
    assert learned.bill.cost.basis is Basis.ESTIMATED
    delivered = sum(entry["delivered_tokens"] for entry in vendors.standin.requests())
    true = true_usd(PROMPT, "", delivered) + true_usd(PROMPT, "", 0)
    assert (learned.bill.cost.low_usd or 0) <= true <= (learned.bill.cost.high_usd or 0)


async def test_a_final_failure_brings_the_bill_of_all_attempts(
    temporal_client: Client, vendors: Vendors
) -> None:
    """Two invalid replies were answered in full, and are paid for to the last digit."""
    vendors.answer("neither", output_tokens=4)
    asked = request("openai", choices=("billing", "bug"))

    async with started(temporal_client, vendors, asked, attempts=2) as run:
        learned = await run.result()

    assert learned.kind == "failed"
    assert learned.bill is not None
    assert learned.bill.attempts == 2
    usage = learned.bill.usage
    once = Usage(input_tokens=usage.input_tokens // 2, output_tokens=usage.output_tokens // 2)
    assert once + once == usage
    assert once.output_tokens > 0
    assert learned.bill.cost == exact_cost(
        (2 * usage.input_tokens + 10 * usage.output_tokens) * true_usd("", "", 1) / 10
    )


async def test_a_rate_limit_reaches_the_workflow(temporal_client: Client, vendors: Vendors) -> None:
    """With its duration, so that speculation on this provider can be held; it cost nothing."""
    vendors.answer(ANSWER, fault="429")

    async with started(temporal_client, vendors, request("openai")) as run:
        learned = await run.result()

    assert learned.kind == "failed"
    assert learned.rate_limited_seconds == 1
    assert learned.bill is not None
    assert learned.bill.cost == FREE

"""What a model call tells its own run before it ends, on a real server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment
from temporalio.worker import Worker

from forerun.activities.call_result import CallResult, Completed, Cut
from forerun.activities.checkpoints import Watch
from forerun.activities.model_call import ModelRequest
from forerun.workers.standin.tokenizer import count_tokens
from tests.activities.checkpoint_flow import CALL, CheckpointFlow, Told
from tests.activities.vendors import Vendors, request

BOTH = pytest.mark.parametrize("provider", ["openai", "anthropic"])
CHOICES = ("billing", "bug", "sales")
FIELDS = {f"field_{index}": index for index in range(10)}
LIMITED = {"match": "", "fault": "429"}
MESSAGES_PER_SECOND = 4


def follow(most: int = 8, field: str | None = None) -> Watch:
    return Watch(most=most, output=True, field=field)


def stalling(reply: Any) -> dict[str, Any]:
    """All of a reply at once, and then silence: only a cut ends it."""
    text = reply if isinstance(reply, str) else json.dumps(reply)
    rule = {"match": "", "reply": reply, "ttft_ms": 0, "tokens_per_second": 10_000}
    return {**rule, "fault": "stall", "output_tokens": 2 * count_tokens(text) + 2}


async def tell(
    client: Client, vendors: Vendors, asked: ModelRequest, *, attempts: int = 1, until: Any = None
) -> Told:
    """Run a call to its end, or until its newest value is `until`."""
    queue = f"checkpoints-{uuid4()}"
    async with Worker(
        client,
        task_queue=queue,
        workflows=[CheckpointFlow],
        activities=[vendors.calls.model_call],
        max_heartbeat_throttle_interval=timedelta(milliseconds=250),
    ):
        arguments = [asked, attempts, until]
        return await client.execute_workflow(
            CheckpointFlow.run,
            args=arguments,
            id=queue,
            task_queue=queue,
            execution_timeout=timedelta(seconds=30),
        )


@BOTH
async def test_a_choice_is_told_before_the_answer_ends(
    temporal_client: Client, vendors: Vendors, provider: str
) -> None:
    """The run may act on it, here by cutting a stream that would never end."""
    vendors.standin.set_rules([stalling("billing")])
    asked = request(provider, choices=CHOICES, watch=follow())

    told = await tell(temporal_client, vendors, asked, until="billing")

    assert isinstance(told.result, Cut)
    (message,) = told.messages
    assert message.pop("delivered_tokens") >= 1
    assert message == {"call": CALL, "attempt": 1, "sequence": 1, "value": "billing"}
    assert told.ignored == 0


async def test_the_newest_value_wins_and_is_never_lost(
    temporal_client: Client, vendors: Vendors
) -> None:
    """Fields that came faster than messages may go are told together with the last one."""
    vendors.standin.set_rules([stalling(FIELDS)])
    asked = request("openai", schema={}, watch=follow())

    told = await tell(temporal_client, vendors, asked, until=FIELDS)

    assert told.values[-1] == FIELDS
    assert len(told.values) < len(FIELDS)
    assert [message["sequence"] for message in told.messages] == [
        index + 1 for index in range(len(told.messages))
    ]


async def test_a_field_is_told_once(temporal_client: Client, vendors: Vendors) -> None:
    """With what stands before it, and never again, however long the reply goes on."""
    names = list(FIELDS)
    vendors.answer(FIELDS, tokens_per_second=100)
    asked = request("anthropic", schema={}, watch=follow(field=names[1]))

    told = await tell(temporal_client, vendors, asked)

    assert isinstance(told.result, Completed)
    assert told.result.output == FIELDS
    assert told.values == [{name: FIELDS[name] for name in names[:2]}]


@pytest.mark.parametrize("most", [0, 1, 8])
async def test_no_more_is_told_than_was_granted_nor_more_often(
    temporal_client: Client, vendors: Vendors, most: int
) -> None:
    """The answer is the same; each value is a beginning of it."""
    vendors.answer(FIELDS, tokens_per_second=100)
    asked = request("openai", schema={}, watch=follow(most))

    told = await tell(temporal_client, vendors, asked)

    assert isinstance(told.result, Completed)
    assert told.result.output == FIELDS
    assert len(told.values) <= min(most, 1 + told.result.seconds * MESSAGES_PER_SECOND)
    assert bool(told.values) == (most > 0)
    for value in told.values:
        assert value == dict(list(FIELDS.items())[: len(value)])


async def test_another_attempt_tells_anew(temporal_client: Client, vendors: Vendors) -> None:
    """What it tells is newer than all that the attempt before did."""
    broken = {**stalling("bug"), "fault": "reset", "times": 1}
    vendors.standin.set_rules([broken, stalling("billing")])
    asked = request("openai", choices=CHOICES, watch=follow())

    told = await tell(temporal_client, vendors, asked, attempts=3, until="billing")

    order = [(message["attempt"], message["sequence"]) for message in told.messages]
    assert order == sorted(set(order))
    assert order[-1][0] == 2
    assert told.latest == "billing"


@BOTH
async def test_a_rate_limit_that_a_retry_absorbs_is_told(
    temporal_client: Client, vendors: Vendors, provider: str
) -> None:
    """For as long as the provider asks; the call itself recovers."""
    answer = {"match": "", "reply": "Yes.", "ttft_ms": 0, "tokens_per_second": 10_000}
    vendors.standin.set_rules([{**LIMITED, "times": 1}, answer])
    asked = request(provider, watch=Watch(most=4))

    told = await tell(temporal_client, vendors, asked, attempts=2)

    assert isinstance(told.result, Completed)
    assert told.held == [(provider, 1.0)]
    assert told.messages == [
        {"call": CALL, "attempt": 1, "provider": provider, "rate_limited_seconds": 1.0}
    ]


async def test_nobody_is_told_who_did_not_ask(temporal_client: Client, vendors: Vendors) -> None:
    """Neither of an output nor of a rate limit."""
    vendors.standin.set_rules([LIMITED])

    told = await tell(temporal_client, vendors, request("openai", choices=CHOICES))

    assert told.result is None
    assert told.messages == []


@dataclass(kw_only=True)
class Attempt:
    """One attempt of a call of some run, in an activity environment."""

    vendors: Vendors
    client: Client
    run: str
    heartbeat_details: Sequence[Any] = ()

    async def __call__(self, asked: ModelRequest) -> tuple[CallResult | ApplicationError, Any]:
        """How it ended, and the last of its heartbeats."""
        env, beats = ActivityEnvironment(self.client), list[Any]()
        env.on_heartbeat = beats.append
        env.info = replace(
            env.info,
            workflow_id=self.run,
            workflow_run_id="",
            heartbeat_details=list(self.heartbeat_details),
        )
        try:
            return await env.run(self.vendors.calls.model_call, asked), beats[-1]
        except ApplicationError as failure:
            return failure, beats[-1]


@pytest.mark.parametrize(("most", "sent"), [(1, 1), (2, 2)])
async def test_what_earlier_attempts_told_counts(
    temporal_client: Client, vendors: Vendors, most: int, sent: int
) -> None:
    """Heartbeats carry the number from one attempt to the next, as they do the bill."""
    vendors.standin.set_rules([LIMITED])
    attempt = Attempt(
        vendors=vendors,
        client=temporal_client,
        run="nobody",
        heartbeat_details=[{"checkpoints": 1}],
    )

    failure, beat = await attempt(request("openai", watch=Watch(most=most)))

    assert isinstance(failure, ApplicationError)
    assert failure.type == "RateLimited"
    assert beat["checkpoints"] == sent


async def test_a_run_that_is_gone_does_not_fail_its_call(
    temporal_client: Client, vendors: Vendors, caplog: pytest.LogCaptureFixture
) -> None:
    """What cannot be told is logged and forgotten."""
    vendors.answer(FIELDS, tokens_per_second=100)
    attempt = Attempt(vendors=vendors, client=temporal_client, run="nobody")

    completed, beat = await attempt(request("openai", schema={}, watch=follow()))

    assert isinstance(completed, Completed)
    assert completed.output == FIELDS
    assert beat["checkpoints"] > 0
    assert "checkpoint.unsent" in caplog.text


async def test_a_server_that_is_silent_does_not_hold_up_its_call(vendors: Vendors) -> None:
    """The call ends with its stream, and nothing of it is left behind."""
    vendors.answer(FIELDS, tokens_per_second=100)

    async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(silence, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        client = await Client.connect(f"127.0.0.1:{port}", lazy=True)
        before = asyncio.all_tasks()
        attempt = Attempt(vendors=vendors, client=client, run="nobody")

        completed, beat = await attempt(request("openai", schema={}, watch=follow()))

        assert isinstance(completed, Completed)
        assert beat["checkpoints"] == 1
        assert not [task for task in asyncio.all_tasks() - before if "silence" not in repr(task)]

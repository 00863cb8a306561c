"""The tool call activity: checked arguments, canonical output, every attempt on the bill."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from pydantic import JsonValue
from temporalio.activity import ActivityCancellationDetails
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from forerun.activities.call_result import MAX_OUTPUT_BYTES, Completed, Cut
from forerun.activities.failures import bill_in, bill_of_failure
from forerun.activities.operation import ToolRequest
from forerun.activities.registration import Arguments, operation
from forerun.activities.registry import (
    INVALID_ARGUMENTS,
    INVALID_OUTPUT,
    OPERATION_MISSING,
    Registry,
)
from forerun.activities.tool_call import ToolCalls
from forerun.speculation.billing import Basis, Cost, exact_cost
from forerun.speculation.effect_class import EffectClass


class Anything(Arguments):
    value: JsonValue = None


class Tools:
    """Tools under test; `started` is set once `hold` runs."""

    def __init__(self) -> None:
        self.started = asyncio.Event()
        self.returned: Any = None

    @operation("test.give", version="1", effect=EffectClass.READ, usd="0.002")
    async def give(self, arguments: Anything) -> Any:
        return arguments.value if self.returned is None else self.returned

    @operation("test.fail", version="1", effect=EffectClass.READ, usd="0.002")
    async def fail(self, arguments: Anything) -> Any:
        if arguments.value == "final":
            raise ApplicationError(
                "come back later",
                type="Closed",
                non_retryable=True,
                next_retry_delay=timedelta(seconds=5),
            )
        raise OSError("the line is dead")

    @operation("test.hold", version="1", effect=EffectClass.READ, usd="0.002")
    async def hold(self, arguments: Anything) -> Any:
        self.started.set()
        await asyncio.Event().wait()

    @operation("test.hold_free", version="1", effect=EffectClass.READ)
    async def hold_free(self, arguments: Anything) -> Any:
        await self.hold(arguments)


def request(name: str, arguments: dict[str, Any] | None = None) -> ToolRequest:
    return ToolRequest(operation=name, version="1", arguments=arguments or {})


def environment(attempt: int = 1) -> ActivityEnvironment:
    env = ActivityEnvironment()
    env.info = replace(env.info, attempt=attempt)
    return env


async def run(tools: Tools, what: ToolRequest, attempt: int = 1) -> Completed | Cut:
    calls = ToolCalls(Registry.of(tools))
    return await environment(attempt).run(calls.tool_call, what)


async def cancelled(
    name: str, details: ActivityCancellationDetails, attempt: int = 1
) -> Completed | Cut:
    """The result of a held call that is cancelled with `details` while it runs."""
    tools = Tools()
    env = environment(attempt)
    call = asyncio.ensure_future(env.run(ToolCalls(Registry.of(tools)).tool_call, request(name)))
    await tools.started.wait()
    env.cancel(details)
    return await call


async def test_completed() -> None:
    """A tool's output comes back in canonical form with its declared price."""
    result = await run(Tools(), request("test.give", {"value": {"b": 1.0, "a": "e\u0301"}}))
    assert isinstance(result, Completed)
    assert result.output == {"b": 1, "a": "\u00e9"}
    assert result.bill.cost == exact_cost(Decimal("0.002"))
    assert result.bill.attempts == 1
    assert result.seconds >= 0
    assert result.first_token_seconds is None


async def test_every_attempt_is_billed() -> None:
    """The third attempt's bill holds the price of the two before it."""
    result = await run(Tools(), request("test.give"), attempt=3)
    assert result.bill.cost == exact_cost(Decimal("0.006"))
    assert result.bill.attempts == 3


async def test_cut_on_request() -> None:
    """A requested cancel gives what may have been billed: the attempt that was cut, or not."""
    requested = ActivityCancellationDetails(cancel_requested=True)
    result = await cancelled("test.hold", requested, attempt=2)
    assert isinstance(result, Cut)
    assert result.bill.cost == Cost(
        low_usd=Decimal("0.002"),
        best_usd=Decimal("0.004"),
        high_usd=Decimal("0.004"),
        basis=Basis.ESTIMATED,
    )
    free = await cancelled("test.hold_free", requested)
    assert free.bill.cost == exact_cost(Decimal(0))


@pytest.mark.parametrize(
    "details",
    [ActivityCancellationDetails(worker_shutdown=True), ActivityCancellationDetails(paused=True)],
)
async def test_other_cancels_pass_through(details: ActivityCancellationDetails) -> None:
    """A worker that shuts down, or a pause, is no cut: the attempt fails and is retried."""
    with pytest.raises(asyncio.CancelledError):
        await cancelled("test.hold", details)


async def test_tools_own_errors() -> None:
    """What a tool raises reaches Temporal with its retry posture, its cause and the bill."""
    with pytest.raises(ApplicationError, match=r"test\.fail: OSError: the line is dead") as raised:
        await run(Tools(), request("test.fail"), attempt=2)
    assert (raised.value.type, raised.value.non_retryable) == ("OSError", False)
    assert isinstance(raised.value.__cause__, OSError)
    bill = bill_of_failure(raised.value)
    assert bill is not None
    assert (bill.cost, bill.attempts) == (exact_cost(Decimal("0.004")), 2)
    with pytest.raises(ApplicationError, match="come back later") as final:
        await run(Tools(), request("test.fail", {"value": "final"}))
    assert (final.value.type, final.value.non_retryable) == ("Closed", True)
    assert final.value.next_retry_delay == timedelta(seconds=5)


async def test_bad_requests() -> None:
    """Bad arguments are final; an operation this worker lacks is not."""
    with pytest.raises(ApplicationError) as invalid:
        await run(Tools(), request("test.give", {"valeu": 1}))
    assert (invalid.value.type, invalid.value.non_retryable) == (INVALID_ARGUMENTS, True)
    with pytest.raises(ApplicationError) as missing:
        await run(Tools(), request("test.gone"))
    assert (missing.value.type, missing.value.non_retryable) == (OPERATION_MISSING, False)


@pytest.mark.parametrize("output", [object(), {1: "a"}, float("inf"), "x" * (MAX_OUTPUT_BYTES - 1)])
async def test_bad_output(output: Any) -> None:
    """What is not JSON, or too much of it, fails the call for good."""
    tools = Tools()
    tools.returned = output
    with pytest.raises(ApplicationError, match=r"test\.give returned") as raised:
        await run(tools, request("test.give"))
    assert (raised.value.type, raised.value.non_retryable) == (INVALID_OUTPUT, True)


async def test_largest_output() -> None:
    """Exactly 256 KB of canonical JSON are allowed."""
    tools = Tools()
    tools.returned = "x" * (MAX_OUTPUT_BYTES - 2)
    assert isinstance(await run(tools, request("test.give")), Completed)


async def test_heartbeats() -> None:
    """A held call heartbeats by itself, so that a cancel request can reach it."""
    tools = Tools()
    env = environment()
    beats: list[Any] = []
    second = asyncio.Event()

    def on_heartbeat(*details: Any) -> None:
        beats.append(details)
        if len(beats) > 1:
            second.set()

    env.on_heartbeat = on_heartbeat
    call = asyncio.ensure_future(
        env.run(ToolCalls(Registry.of(tools)).tool_call, request("test.hold"))
    )
    await second.wait()
    env.cancel()
    assert isinstance(await call, Cut)
    first = bill_in(beats[0])
    assert first is not None
    assert first.cost == exact_cost(Decimal("0.002"))

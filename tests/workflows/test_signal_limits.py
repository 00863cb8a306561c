"""As many signals as the server takes, and one more: a run stays in the hands of people."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import TerminatedError
from temporalio.service import RPCError
from temporalio.worker import Replayer

from forerun.workers.audit.auditor import audit
from forerun.workers.cli.gate import Verdict, decide
from forerun.workers.cli.process import CommandError
from forerun.workers.plugin import forerun_plugin
from forerun.workflows import betting
from forerun.workflows.agent_dag import AgentDag
from tests.harness import Stack
from tests.workflows.auto_reply import APPROVAL, AUTO_REPLY, Handle, answers, until_pending
from tests.workflows.own_server import serving, working

JUNK = 7_900
"""What is left of 10,000 beside the 2,000 checkpoints and 100 people."""

SPEC: dict[str, Any] = {
    "version": 1,
    "nodes": {"send": {"effect": "outbox.put", "args": {"to": "a", "body": "b"}}},
}
KINDS: list[tuple[str, Any]] = [
    ("approve", {"node": "another", "by": "eve"}),
    ("approve", {"node": "send", "by": "eve", "digest": "0" * 64}),
    ("reject", {"node": "send"}),
    ("approve", "send"),
    ("checkpoint", {"call": "nobody", "value": 1}),
    ("aprove", {"node": "send", "by": "eve"}),
]


async def send_junk(handle: Handle, count: int) -> None:
    """That many signals, of every useless kind, some at a time."""

    async def some(start: int) -> None:
        for n in range(start, count, 20):
            name, payload = KINDS[n % len(KINDS)]
            await handle.signal(name, payload)

    await asyncio.gather(*(some(start) for start in range(20)))


async def test_approvals_get_through_7900_junk_signals(temporal_cli: Path, tmp_path: Path) -> None:
    """None of them fails a workflow task, and all are told apart from what counts."""
    async with serving(temporal_cli) as client, working(client, tmp_path) as stack:
        handle: Handle = await client.start_workflow(
            "AgentDag", SPEC, id="junk", task_queue="forerun", result_type=dict
        )
        await send_junk(handle, JUNK)
        pending = await until_pending(handle)
        (intent,) = pending["intents"]
        sent = [len(range(kind, JUNK, len(KINDS))) for kind in range(len(KINDS))]
        assert pending["early_count"] == sent[0]
        assert intent["ignored_count"] == sent[1]
        assert pending["malformed_count"] == sent[2] + sent[3]
        assert pending["checkpoints_ignored"] == sent[4]

        await decide(client, Verdict(answer="approve", run="junk", intent="send", by="ann"))
        result = await handle.result()

        assert result["effects"]["send"]["by"] == "ann"
        assert len(stack.rows("junk")) == 1
        history = await handle.fetch_history()
        failed = [e for e in history.events if e.HasField("workflow_task_failed_event_attributes")]
        assert failed == []
        replayer = Replayer(workflows=[AgentDag], plugins=[forerun_plugin()])
        await replayer.replay_workflow(history)


async def test_a_run_that_takes_no_more_signals_says_how_to_go_on(
    temporal_cli: Path, tmp_path: Path
) -> None:
    """`forerun approve` prints the refusal and a way out, and the way out is one."""
    async with (
        serving(temporal_cli, "history.maximumSignalsPerExecution=30") as client,
        working(client, tmp_path) as stack,
    ):
        handle: Handle = await client.start_workflow(
            "AgentDag", SPEC, id="full", task_queue="forerun", result_type=dict
        )
        await send_junk(handle, 30)
        await until_pending(handle)
        approval = Verdict(answer="approve", run="full", intent="send", by="ann")
        with pytest.raises(CommandError) as refused:
            await decide(client, approval)
        message = str(refused.value)
        assert "takes no more signals" in message
        command = message.partition("start it over without them: temporal ")[2].partition(". ")[0]

        address = client.service_client.config.target_host
        reset = await asyncio.create_subprocess_exec(
            str(temporal_cli), *command.split(), "--address", address
        )
        assert await reset.wait() == 0
        again = client.get_workflow_handle("full", result_type=dict[str, Any])
        await until_pending(again)
        await decide(client, approval)

        assert (await again.result())["effects"]["send"]["by"] == "ann"
        assert len(stack.rows("full")) == 1


async def test_a_history_that_is_full_ends_the_run_and_commits_nothing(
    temporal_cli: Path, tmp_path: Path
) -> None:
    """The server terminates it; who would approve then is told, and audit knows what was open."""
    async with (
        serving(temporal_cli, "limit.historyCount.error=100") as client,
        working(client, tmp_path) as stack,
    ):
        handle: Handle = await client.start_workflow(
            "AgentDag", SPEC, id="long", task_queue="forerun", result_type=dict
        )
        await until_pending(handle)
        with suppress(RPCError):  # the run is over: signals find it no more
            await send_junk(handle, 200)
        with pytest.raises(WorkflowFailureError) as ended:
            await handle.result()
        assert isinstance(ended.value.cause, TerminatedError)

        with pytest.raises(CommandError, match=r"is over|is decided already|already completed"):
            await decide(client, Verdict(answer="approve", run="long", intent="send", by="ann"))
        assert stack.rows("long") == []
        report = await audit(await handle.fetch_history())
        assert report.violations == ()


@pytest.mark.parametrize("limit", ["EVENTS", "BYTES"])
async def test_near_the_end_of_its_history_a_run_bets_no_more(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    """What is left is for certain work: it ends as without speculation."""
    monkeypatch.setattr(betting, f"{limit}_BEFORE_SPECULATION_STOPS", 1)
    stack.standin.set_rules(answers("billing", ttft_ms=300))
    handle = await stack.start(AUTO_REPLY)
    await handle.signal("approve", APPROVAL)

    result = await handle.result()

    assert result["ledger"]["speculations"]["launched"] == 0
    assert result["effects"]["send"]["state"] == "committed"

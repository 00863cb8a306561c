"""Runs from the command line: started, followed, approved, stopped, and told about truthfully."""

from __future__ import annotations

import json
import signal
import sqlite3
from contextlib import closing
from typing import Any

import jsonschema
import pytest
from temporalio.worker import Replayer

from forerun.speculation.canonical import digest
from forerun.workers.cli import gate
from forerun.workers.cli.gate import Verdict, decide, show_pending
from forerun.workers.cli.policy import check_changes, set_policies
from forerun.workers.cli.process import CommandError
from forerun.workers.cli.runs import Run, start
from forerun.workers.plugin import forerun_plugin
from forerun.workers.schemas import all_schemas
from forerun.workflows.agent_dag import AgentDag
from tests.workers.begun_runs import POLICY, REPLY, SLOW, begun, found, until
from tests.workers.conftest import Up

ARGUMENTS = {"to": "m@example.com", "body": "Hello Maria"}


def rows(up: Up, run: str) -> list[tuple[str, str]]:
    """Digest and approver of what a run has committed."""
    with closing(
        sqlite3.connect(up.run.folder / "data" / "forerun" / "outbox.sqlite3")
    ) as connection:
        found = connection.execute(
            "select digest, approved_by from outbox where workflow_id = ?", [run]
        )
        return found.fetchall()


async def test_a_run_speculates_waits_for_its_approval_and_commits(up: Up) -> None:
    """The approval names the digest that was shown, and that is what is committed."""
    spec = up.spec("reply", REPLY, policy=POLICY)
    with up.run.started("run", spec, "--id", "reply-1") as live:
        live.line("draft runs ahead")
        live.line("send waits for approval")
        shown = up.run("pending")
        approved = up.run("approve", "reply-1", "send", "--by", "ada", "--note", "fine")
        run = live.end()

    assert "reply-1  send" in shown.stdout
    assert digest(ARGUMENTS) in shown.stdout
    assert (approved.code, run.code) == (0, 0)
    assert "committed, approved by ada" in run.stdout
    assert "1 launched: 1 promoted" in run.stdout
    assert rows(up, "reply-1") == [(digest(ARGUMENTS), "ada")]


async def test_json_is_the_result_and_nothing_else(up: Up) -> None:
    """And result, queries and records have the shapes that `schema --all` promises."""
    schemas, client = all_schemas(), await up.client()
    run, handle = Run(client, "json-1"), client.get_workflow_handle("json-1")
    spec = up.spec("json", REPLY, policy=POLICY)
    with up.run.started("run", spec, "--id", "json-1", "--json") as live:
        live.error_line("send waits for approval")
        jsonschema.validate(await handle.query("pending"), schemas["queries"]["pending"])
        jsonschema.validate(await handle.query("ledger"), schemas["queries"]["ledger"])
        waiting = (await run.waiting())[0]
        await run.send("approve", {"node": "send", "by": "ada", "digest": waiting.digest})
        ended = live.end()

    result = json.loads(ended.stdout)
    jsonschema.validate(result, schemas["result"])
    assert result["outputs"] == {"classify": "billing", "draft": "Hello Maria"}
    records: list[dict[str, Any]] = await handle.query("decisions")
    rarer = {"operations", "purchase", "compared"}
    assert {record["kind"] for record in records} == schemas["records"].keys() - rarer
    for record in records:
        jsonschema.validate(record, schemas["records"][record["kind"]])


async def test_a_history_replays_with_the_plugin_alone(up: Up) -> None:
    """It brings all that the worker had: the converter, and the way through the sandbox."""
    client = await up.client()
    run = await begun(client, "replayed-1", REPLY)
    await run.send("approve", {"node": "send", "by": "ada"})
    await run.result(lambda: None)
    history = await client.get_workflow_handle("replayed-1").fetch_history()

    await Replayer(workflows=[AgentDag], plugins=[forerun_plugin()]).replay_workflow(history)


async def test_what_cannot_be_approved_is_refused_with_the_reason(up: Up) -> None:
    """Unknown runs and intents, and those decided already; nothing is sent."""
    client = await up.client()

    async def refusal(run: str, intent: str, by: str = "ada") -> str:
        with pytest.raises(CommandError) as caught:
            await decide(client, Verdict(answer="approve", run=run, intent=intent, by=by))
        return str(caught.value)

    run = await begun(client, "gate-1", REPLY)
    assert "does not wait yet (waiting); --blind" in await refusal("gate-1", "send")
    await until(run.waiting)
    assert "no intent 'sent'; what waits: send" in await refusal("gate-1", "sent")
    assert "classify of gate-1 is decided already" in await refusal("gate-1", "classify")
    assert "not found" in await refusal("gate-2", "send")
    assert '"by" must be a non-empty string' in await refusal("gate-1", "send", " ")
    await decide(client, Verdict(answer="reject", run="gate-1", intent="send", by="bob"))
    result = await run.result(lambda: None)

    assert result["effects"]["send"] == {"state": "rejected", "by": "bob", "receipt": None}
    assert "is over (completed)" in await refusal("gate-1", "send")
    assert not rows(up, "gate-1")


async def test_what_is_approved_is_what_is_seen(up: Up, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing in the arguments can hide a part of them from whoever looks at a terminal."""
    client = await up.client()
    tricks = "safe\x1b[2K\x9b2K\u202ehidden\r"
    send = {"effect": "outbox.put", "args": {"to": "m@example.com", "body": tricks}}
    run = await begun(client, "tricks-1", {"send": send})
    await until(run.waiting)

    await show_pending(client, "tricks-1")
    await decide(client, Verdict(answer="reject", run="tricks-1", intent="send", by="ada"))

    shown = capsys.readouterr().out
    assert "safe" in shown
    assert not any(trick in shown for trick in "\x1b\x9b\u202e\r")


async def test_an_approval_in_advance_covers_whatever_comes(up: Up) -> None:
    """`--blind` is how it is asked for."""
    client = await up.client()
    run = await begun(client, "blind-1", REPLY)

    verdict = Verdict(answer="approve", run="blind-1", intent="send", by="eve", blind=True)
    await decide(client, verdict)

    assert (await run.result(lambda: None))["effects"]["send"]["by"] == "eve"


@pytest.mark.parametrize("attribute", ["ForerunAwaiting", "NotRegisteredHere"])
async def test_pending_shows_one_run_or_all(
    up: Up, attribute: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With or without the search attribute that finds them."""
    monkeypatch.setattr(gate, "AWAITING", gate.AWAITING.replace("ForerunAwaiting", attribute))
    client = await up.client()
    ids = [f"{attribute}-{i}" for i in range(2)]
    runs = [await begun(client, id, REPLY) for id in ids]
    for run in runs:
        await until(run.waiting)

    await show_pending(client, ids[0])
    one = capsys.readouterr().out
    shown: set[str] = set()
    while not shown.issuperset(ids):
        assert await show_pending(client, None) == 0
        shown |= {line.partition(" ")[0] for line in capsys.readouterr().out.splitlines()}

    assert f"{ids[0]}  send" in one
    assert ids[1] not in one
    for run in runs:
        await run.send("reject", {"node": "send", "by": "ada"})


async def test_budget_0_over_a_query_stops_what_runs_ahead(up: Up) -> None:
    """At once: what the guess is about is still running when the speculation ends."""
    client = await up.client()
    spec = up.spec("stop", SLOW, policy=POLICY)
    with up.run.started("run", spec, "--id", "stop-1") as live:
        live.line("draft runs ahead")
        query, changed = "ForerunWorkload='stop'", {"budget_usd": "0"}
        await until(lambda: found(client, query))
        assert await set_policies(client, None, query, changed) == 0
        assert "1 cut" in live.line("of those ahead", "classify done")


async def test_a_refused_policy_fails_and_says_why(
    up: Up, capsys: pytest.CaptureFixture[str]
) -> None:
    """For a run that is not there, a query that is none, and a value out of range."""
    client = await up.client()

    assert await set_policies(client, "never-was", None, {"alpha": "1"}) == 1
    assert "not found" in capsys.readouterr().err
    with pytest.raises(CommandError, match="cannot list"):
        await set_policies(client, None, "no such thing", {"alpha": "1"})
    with pytest.raises(CommandError, match="alpha: '2' is out of range"):
        check_changes({"alpha": "2"})
    with pytest.raises(CommandError, match="give --alpha, --usd-per-second or --budget"):
        check_changes({})


@pytest.mark.parametrize("as_json", [False, True])
async def test_a_failed_run_shows_what_it_has_and_exits_1(up: Up, as_json: bool) -> None:
    """The outputs of what did not fail, the ledger, and one line that names the node."""
    nodes = {
        "ok": {"tool": "echo", "args": {"value": "fine"}},
        "bad": {"model": "openai:sim-mid", "prompt": "Fail", "retries": 0},
    }
    run = up.run("run", up.spec("fails", nodes), *(["--json"] if as_json else []))

    assert run.code == 1
    assert "forerun: failed nodes: bad" in run.stderr
    assert "Traceback" not in run.stderr + run.stdout
    if as_json:
        assert json.loads(run.stdout)["outputs"] == {"ok": "fine"}
    else:
        assert "fine" in run.stdout


async def test_what_only_a_worker_can_know_is_bad_input_too(up: Up) -> None:
    """The operation that was meant is named."""
    run = up.run("run", up.spec("unknown", {"a": {"tool": "kb.serch"}}))

    assert (run.code, run.stderr.count("\n")) == (2, 1)
    assert "did you mean 'kb.search'?" in run.stderr


async def test_ctrl_c_leaves_the_run_going_and_says_so(up: Up) -> None:
    """Following is only looking; and an id in use stays with its run."""
    client = await up.client()
    spec = up.spec("left", SLOW)
    with up.run.started("run", spec, "--id", "left-1") as live:
        live.line("classify running")
        left = live.signal(signal.SIGINT)
    with pytest.raises(CommandError, match="still going on: choose another --id"):
        await start(client, {"version": 1, "nodes": {}}, id="left-1", summary="again")

    assert left.code == 130
    assert "run left-1 goes on" in left.complaint
    assert await Run(client, "left-1").status() == "running"

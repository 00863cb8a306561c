"""`forerun audit` and `forerun export`, against a real server and on what they export."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from temporalio import workflow
from temporalio.worker import Worker

from forerun.workers.cli.runs import Run, start
from tests.forging import Forged
from tests.replay.scenario import HISTORIES
from tests.resets import reset
from tests.workers.begun_runs import POLICY, REPLY, SLOW, begun, found, until
from tests.workers.conftest import Up

HIT = str(HISTORIES / "hit.json")


@pytest.fixture(scope="module")
async def audited(up: Up) -> str:
    """The workload of two runs that are over."""
    client, ids = await up.client(), ("audited-1", "audited-2")
    spec: dict[str, Any] = {"version": 1, "workload": "audited", "policy": POLICY, "nodes": REPLY}
    for id in ids:
        run = await start(client, spec, id=id, summary="test")
        await run.send("approve", {"node": "send", "by": "ada"})
        await run.result(lambda: None)
    query = "ForerunWorkload='audited' AND ExecutionStatus='Completed'"
    await until(lambda: _both(client, query))
    return query


async def _both(client: Any, query: str) -> bool:
    return (await client.count_workflows(query)).count == 2


def test_a_file_is_audited_without_a_server(up: Up) -> None:
    """Nothing answers at the address; the report names what was checked, and ends in one word."""
    done = up.run("audit", HIT, env={"TEMPORAL_ADDRESS": "127.0.0.1:1"})

    assert (done.code, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "hit · AgentDag · completed"
    assert "2 launches, 2 outcomes, 1 commit" in lines[1]
    assert lines[-1] == "clean"


def test_a_forged_file_is_named_line_by_line(up: Up, tmp_path: Path) -> None:
    """One line per violation with event, node, expected and found, and exit code 1."""
    forged = Forged("hit")
    with forged.record("outcome", node="draft") as outcome:
        outcome["wasted_usd"] = "0.5"
    path = tmp_path / "forged.json"
    path.write_text(json.dumps({"events": forged.events}))

    told, machine = up.run("audit", str(path)), up.run("audit", str(path), "--json")

    assert (told.code, machine.code) == (1, 1)
    (wasted,) = [
        one for one in json.loads(machine.stdout)["violations"] if one["check"] == "wasted_usd"
    ]
    at = int(forged.marker("outcome", node="draft")["eventId"])
    assert wasted["event_id"] == at
    assert f"event {at} · draft · wasted_usd: expected 0, found 0.5" in told.stdout


def test_the_exit_code_tells_bad_input_from_violations(up: Up, tmp_path: Path) -> None:
    """2 with one line: no history, no file, no code, or nothing to audit at all."""
    (tmp_path / "spec.json").write_text('{"version": 1}')
    for arguments, says in (
        ([str(tmp_path / "spec.json")], "no workflow history"),
        ([str(tmp_path / "none.json")], "No such file"),
        ([], "give either"),
        ([HIT, "--query", "x"], "give either"),
        ([HIT, "--workflow", "json"], "json"),
        ([HIT, "--workflow", "json:JSONDecoder"], "no @workflow.defn"),
    ):
        done = up.run("audit", *arguments)
        assert (done.code, says in done.complaint) == (2, True), done


def test_a_run_on_the_server_is_audited_by_its_id(up: Up, audited: str) -> None:
    """And so is what the Temporal CLI shows of it."""
    assert audited
    by_id = up.run("audit", "audited-1")
    assert (by_id.code, by_id.stdout.splitlines()[-1]) == (0, "clean")
    assert up.run("audit", "no-such-run").code == 1


def test_what_the_temporal_cli_saves_is_audited(
    up: Up, audited: str, temporal_cli: Path, tmp_path: Path
) -> None:
    """`temporal workflow show --output json`, as it is."""
    assert audited
    show = f"workflow show --workflow-id audited-1 --output json --address {up.temporal}"
    shown = subprocess.run(
        [str(temporal_cli), *show.split()],
        capture_output=True,
        check=True,
    )
    path = tmp_path / "shown.json"
    path.write_bytes(shown.stdout)

    done = up.run("audit", str(path))

    assert (done.code, done.stdout.splitlines()[-1]) == (0, "clean")
    assert done.stdout.startswith("audited-1 ")


def test_many_runs_are_audited_in_a_table(up: Up, audited: str) -> None:
    """One row each; for machines, a list."""
    told, machine = (
        up.run("audit", "--query", audited, *flags, env={"COLUMNS": "120"})
        for flags in ((), ("--json",))
    )

    assert (told.code, machine.code) == (0, 0)
    assert told.stdout.count("clean") == 2
    assert {report["workflow_id"] for report in json.loads(machine.stdout)} == {
        "audited-1",
        "audited-2",
    }
    assert up.run("audit", "--query", "nonsense = 3").code == 1


@workflow.defn(name="AgentDag")
class Pretender:
    """Says that it has run a DAG, and has not."""

    @workflow.run
    async def run(self, spec: dict[str, Any]) -> dict[str, Any]:
        return {"outputs": {"draft": "made up"}, "effects": {}, "failed": {}, "skipped": []}


async def test_one_bad_run_among_many_is_named(up: Up, audited: str) -> None:
    """Its violations stand below the table, under its id; and there is a progress bar."""
    client, id = await up.client(), "pretender-1"
    spec = {"version": 1, "nodes": REPLY}
    async with Worker(client, task_queue="pretenders", workflows=[Pretender]):
        await client.execute_workflow("AgentDag", spec, id=id, task_queue="pretenders")
    query = f"({audited}) OR WorkflowId = '{id}'"
    await until(lambda: found(client, f"WorkflowId = '{id}' AND ExecutionStatus='Completed'"))

    done = up.run("audit", "--query", query, env={"COLUMNS": "120", "FORCE_COLOR": "1"})

    assert done.code == 1
    assert done.stdout.count("clean") == 2
    assert f"{id}: event" in done.stdout
    assert "draft · output" in done.stdout
    assert "auditing" in done.stderr


def test_an_export_holds_what_an_audit_needs(up: Up, audited: str, tmp_path: Path) -> None:
    """One file per run, each as good as the run itself, and again: nothing doubles."""
    folder = tmp_path / "histories"
    for _ in range(2):
        saved = up.run("export", "--query", audited, "-o", str(folder))
        assert (saved.code, saved.stdout) == (0, f"2 histories in {folder}\n")

    files = sorted(folder.iterdir())
    assert [file.name.partition(".")[0] for file in files] == ["audited-1", "audited-2"]
    for file in files:
        assert up.run("audit", str(file)).stdout.endswith("clean\n")


async def test_a_reset_run_is_unsettled_and_the_new_one_is_clean(up: Up) -> None:
    """The old one was terminated while it ran ahead; the other starts again from its history."""
    client = await up.client()
    run = await begun(client, "reset-1", SLOW, workload="reset")
    await until(lambda: _ahead(run))
    old = await client.get_workflow_handle("reset-1").describe()
    new_run_id = await reset(client, "reset-1", old.run_id, event_id=4)
    await Run(client, "reset-1").result(lambda: None)
    await until(lambda: found(client, f"RunId='{new_run_id}' AND ExecutionStatus='Completed'"))
    await until(lambda: found(client, f"RunId='{old.run_id}' AND ExecutionStatus='Terminated'"))

    done = up.run("audit", "--query", "WorkflowId='reset-1'", "--json")

    reports = {report["run_id"]: report for report in json.loads(done.stdout)}
    assert [report["violations"] for report in reports.values()] == [[], []]
    assert reports[old.run_id]["status"] == "terminated"
    assert reports[old.run_id]["unsettled"]["speculations"]
    assert float(reports[old.run_id]["unsettled"]["worst_usd"]) > 0
    assert reports[new_run_id]["unsettled"] is None


async def _ahead(run: Run) -> bool:
    return any(ahead.running for ahead in (await run.progress()).ahead)

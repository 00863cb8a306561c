"""`forerun report`, as its users run it."""

from __future__ import annotations

from pathlib import Path

from forerun.workers.cli.runs import Run
from tests.replay.scenario import HISTORIES
from tests.workers.begun_runs import POLICY, REPLY, begun, found, until
from tests.workers.conftest import Up

MISS, HIT = str(HISTORIES / "miss.json"), str(HISTORIES / "hit.json")


def test_a_file_is_reported_without_a_server(up: Up, tmp_path: Path) -> None:
    """The page is where it should be, audited; without -o it is named after the run."""
    nowhere = {"TEMPORAL_ADDRESS": "127.0.0.1:1"}
    page = tmp_path / "page.html"

    told = up.run("report", MISS, "-o", str(page), env=nowhere)
    beside = up.run("report", MISS, env=nowhere)

    assert (told.code, told.stderr, beside.code) == (0, "", 0)
    assert told.stdout.startswith(f"{page}: no violation")
    assert "replayed" in page.read_text()
    assert (up.run.folder / "miss.html").read_text() == page.read_text()


def test_bad_input_is_told_in_one_line(up: Up, tmp_path: Path) -> None:
    """2 for what is no history, 1 for what cannot be written or does not exist."""
    (tmp_path / "spec.json").write_text('{"version": 1}')
    for arguments, code, says in (
        ([str(tmp_path / "spec.json")], 2, "no workflow history"),
        ([MISS, "-o", str(tmp_path / "none" / "page.html")], 1, "No such file"),
        (["no-such-run"], 1, "no-such-run"),
        ([], 2, "give either"),
        ([MISS, "--query", "x"], 2, "give either"),
        (["--query", "nonsense = 3"], 1, "nonsense"),
        (["--query", "ForerunWorkload = 'nobody'"], 1, "no run matches"),
    ):
        done = up.run("report", *arguments)
        assert (done.code, says in done.complaint) == (code, True), done


def test_several_files_make_one_page(up: Up, tmp_path: Path) -> None:
    """The report of a workload."""
    page = tmp_path / "page.html"

    done = up.run("report", MISS, HIT, "-o", str(page), env={"TEMPORAL_ADDRESS": "127.0.0.1:1"})

    assert (done.code, done.stdout) == (0, f"{page}: 2 runs\n")
    assert "What if α had been another?" in page.read_text()


async def test_a_run_on_the_server_is_reported_by_its_id(up: Up, tmp_path: Path) -> None:
    """Also one that is still waiting for people; and by a query, once it is over."""
    client = await up.client()
    run = await begun(client, "reported-1", REPLY, workload="reported", policy=POLICY)
    await until(lambda: _waits(run))
    page = tmp_path / "page.html"

    done = up.run("report", "reported-1", "-o", str(page))

    assert (done.code, done.stderr) == (0, "")
    assert "waiting for people" in page.read_text()
    await run.send("approve", {"node": "send", "by": "ada"})
    await run.result(lambda: None)
    many = tmp_path / "many.html"
    query = "ForerunWorkload = 'reported' AND ExecutionStatus = 'Completed'"
    await until(lambda: found(client, query))
    assert up.run("report", "--query", query, "-o", str(many)).code == 0
    assert "reported-1" in many.read_text()


async def _waits(run: Run) -> bool:
    return bool(await run.waiting())

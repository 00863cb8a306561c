"""What the pages show is done: on a real server, with their files, in their order.

Programs are started where the pages start them. What they do next is done in this process by the
functions behind the commands: their command lines are parsed in `test_docs`.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import pytest
from temporalio.client import Client

from forerun.workers.cli.audits import Form, audit_file, audit_run, code_of
from forerun.workers.cli.exports import export_matching
from forerun.workers.cli.gate import Verdict, decide, show_pending
from forerun.workers.cli.policy import set_policies
from forerun.workers.cli.reports import report_run
from forerun.workers.connection import Server
from forerun.workers.devserver.ports import free_port
from tests.documents import ROOT, SHELL, all_blocks, blocks, spoken
from tests.workers.commands import Live, Place, address

QUICKSTART, OWN = (ROOT / "docs" / name for name in ("quickstart.md", "own-workflow.md"))


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody with the files of both pages in a folder, and `forerun up` running beside."""

    place: Place

    async def client(self) -> Client:
        """A client of the server."""
        return await Server.at(self.place.env["TEMPORAL_ADDRESS"]).connect()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that both pages tell to save."""
    folder = tmp_path_factory.mktemp("reader")
    for block in (*blocks(QUICKSTART), *blocks(OWN)):
        if block.name:
            (folder / block.name).write_text(block.text)
    return folder


@pytest.fixture(scope="module")
def up(folder: Path, temporal_cli: Path) -> Iterator[Reader]:
    """What both pages start, in one."""
    assert temporal_cli
    ports = [str(free_port()) for _ in range(3)]
    flags = ["--port", ports[0], "--ui-port", ports[1], "--standin-port", ports[2]]
    files = ["--rules", "rules.json", "--operations", "my_operations"]
    with Place(folder).started("up", *flags, *files) as live:
        ready = live.line("ready")
        temporal, ui = address(ready, "temporal"), address(ready, "ui")
        yield Reader(Place(folder, {"TEMPORAL_ADDRESS": temporal, "FORERUN_UI_URL": ui}))


@pytest.fixture
def reader(up: Reader, monkeypatch: pytest.MonkeyPatch) -> Reader:
    """Sits in the folder."""
    monkeypatch.chdir(up.place.folder)
    monkeypatch.setattr(sys, "path", [str(up.place.folder), *sys.path])
    monkeypatch.setenv("FORERUN_UI_URL", up.place.env["FORERUN_UI_URL"])
    return up


def shown(page: Path, start: str) -> list[str]:
    """The words of the first command on a page that begins so."""
    lines = (line for it in blocks(page) if it.language == SHELL for line in it.text.splitlines())
    return shlex.split(next(line for line in lines if line.startswith(start)), comments=True)


async def test_the_quickstart_does_what_it_says(
    reader: Reader, capsys: pytest.CaptureFixture[str]
) -> None:
    """Run, approved, audited on the server and from a file; each command shows the run's page."""
    client, form = await reader.client(), Form(workflows=code_of(None), as_json=False)
    page = f"{reader.place.env['FORERUN_UI_URL']}/namespaces/default/workflows"
    with reader.place.started(*shown(QUICKSTART, "forerun run first.json")[1:]) as live:
        live.line(f"{page}/first")
        live.line("answer runs ahead")
        live.line("send waits for approval")
        said = await _until_pending(client, "first  send", capsys)
        approved = reader.place(*shown(QUICKSTART, "forerun approve")[1:])
        ended = live.end()
    audited = await audit_run(client, "first", form)
    *_, report = shown(QUICKSTART, "forerun report first")
    await report_run(client, "first", Path(report), form.workflows)
    *_, query, _, histories = shown(QUICKSTART, "forerun export")
    await export_matching(client, query, Path(histories))
    said += capsys.readouterr().out
    file = _only_file(histories)

    assert (approved.code, ended.code, audited, await audit_file(file, form)) == (0, 0, 0, 0)
    assert "2 launched: 2 promoted" in ended.stdout
    shown_by = (*re.split("AgentDag|first.html", said), approved.stdout)
    assert [f"{page}/first\n" in said for said in shown_by] == [True] * 4
    assert f"{page}?query=ForerunWorkload%20%3D%20%27first%27\n" in said
    offline = capsys.readouterr().out
    assert "replay passed\nclean\n" in offline
    assert "http" not in offline


async def test_the_own_workflow_does_what_its_page_says(
    reader: Reader, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its operations are called, its effect waits, its history is audited and replayed."""
    client = await reader.client()
    with _program(reader, shown(OWN, "python support_triage.py")) as live:
        id = live.line("forerun approve").split()[2]
        await _until_pending(client, f"{id}  close", capsys)
        await set_policies(client, None, "ForerunWorkload = 'support-triage'", {"budget_usd": "0"})
        await decide(client, Verdict(answer="approve", run=id, intent="close", by="ann"))
        ended = live.end()
    said = capsys.readouterr().out
    *_, recorded = shown(OWN, "forerun export")
    await export_matching(client, f"WorkflowId = '{id}'", Path(recorded))
    file = _only_file(recorded)
    form = Form(workflows=code_of([shown(OWN, "forerun audit")[-1]]), as_json=False)

    assert f"{id}: alpha 0.5, usd_per_second 0.01, budget_usd 0\n  http://" in said
    assert "'closed': 20418" in ended.stdout
    assert await audit_file(file, form) == 0
    assert "replay passed" in capsys.readouterr().out
    await import_module("test_replay").test_runs_of_old_replay()


async def test_the_server_takes_every_filter(reader: Reader) -> None:
    """Those in the table for the UI, and whatever follows --query on any page."""
    table = [
        code for code in spoken(ROOT / "docs" / "ui.md") if re.match(r"Forerun\w+ [<>=I]", code)
    ]
    typed = [words for it in all_blocks(SHELL) for words in it.commands if "--query" in words]
    client = await reader.client()

    queries = {*table, *(words[words.index("--query") + 1] for words in typed)}
    for query in queries:
        await client.count_workflows(query)

    assert len(queries) > 10


async def _until_pending(client: Client, what: str, capsys: pytest.CaptureFixture[str]) -> str:
    """What `forerun pending` says, once it shows this: visibility lags behind."""
    while what not in (said := capsys.readouterr().out):
        await show_pending(client, None)
    return said


def _only_file(folder: str) -> Path:
    (file,) = Path(folder).iterdir()
    return file


@contextmanager
def _program(reader: Reader, command: list[str]) -> Generator[Live]:
    """A program of Python's, as the reader starts it."""
    with subprocess.Popen(
        [sys.executable, *command[1:]],
        env=reader.place.environment({}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        yield Live(process)

"""The wheel: one name at top level, everything in it, and at home next to anybody's packages.

What is built is a clean copy of what git knows or would add: neither this checkout's editable
install nor what lies about in it can make up for something that the wheel lacks.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import zipfile
from functools import cache
from pathlib import Path

import pytest
from temporalio.client import Client

import forerun
from forerun.workers.devserver import DevServer
from forerun.workers.standin.serve import StandIn
from tests.users_project import ROOT, Project, uv, with_uv

PACKAGES = ("speculation", "workflows", "activities", "workers")
NEEDED_DATA = (
    "forerun/py.typed",
    "forerun/activities/knowledge.json",
    "forerun/activities/price_overrides.json",
    "forerun/workers/demo/auto_reply.json",
    "forerun/workers/demo/auto_reply.rules.json",
    "forerun/workers/devserver/go.mod",
    "forerun/workers/report/templates/run.html",
    "forerun/workers/devserver/go.sum",
)

BOTH = """
import forerun.activities.registry, forerun.workflows.agent_dag
import activities.registry, workflows.agent_dag
assert workflows.agent_dag.WHOSE == "the user"
assert activities.registry.GREETING == "Hello"
print(forerun.workflows.agent_dag.AgentDag.__name__, forerun.__file__)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a clean copy."""
    source, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in known_to_git():
        copy = source / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, copy, follow_symlinks=False)
    # Without uv, `build` needs ensurepip, which not every Python has.
    installer = ["--installer", "uv"] if uv() else []
    command = [sys.executable, "-m", "build", "--wheel", *installer, "--outdir", built, source]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=with_uv())
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = built.iterdir()
    return wheel


@pytest.fixture(scope="module")
def project(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with a `workflows` and an `activities` of its own, and forerun from the wheel."""
    return Project.made(tmp_path_factory.mktemp("project"), wheel)


def test_nothing_but_forerun_is_at_top_level(wheel: Path) -> None:
    """Installers don't notice when two wheels bring one file: a root `workflows/` would be fatal."""
    tops = {name.partition("/")[0] for name in contents(wheel)}

    assert tops == {"forerun", f"forerun-{forerun.__version__}.dist-info"}


def test_the_wheel_holds_the_four_packages_whole(wheel: Path) -> None:
    """Every file of theirs, code or data, and none from elsewhere in the tree."""
    packed = {name for name in contents(wheel) if ".dist-info/" not in name}
    ours = {name for name in known_to_git() if name.startswith("forerun/") and is_file(name)}
    for package in PACKAGES:
        ours |= {f"forerun/{name}" for name in known_to_git() if name.startswith(f"{package}/")}

    assert packed == ours
    assert packed.issuperset(NEEDED_DATA)
    assert "forerun/workflows/agent_dag.py" in packed


def test_what_is_a_link_here_is_a_file_there(wheel: Path) -> None:
    """Links would point to nowhere once installed."""
    with zipfile.ZipFile(wheel) as archive:
        demo = json.loads(archive.read("forerun/workers/demo/auto_reply.json"))
        modes = [info.external_attr >> 28 for info in archive.infolist()]

    assert demo["version"] == 1
    assert 0xA not in modes  # S_IFLNK


def test_both_packages_of_one_name_can_be_imported(project: Project) -> None:
    """The user's `workflows` is theirs, ours is `forerun.workflows`, from the wheel."""
    name, file = project.run("python", "-c", BOTH).split()

    assert name == "AgentDag"
    assert Path(file).is_relative_to(project.site_packages)


def test_the_command_works(project: Project) -> None:
    """The console script is installed, knows its version, and finds its own modules."""
    assert project.run("forerun", "--version").strip() == forerun.__version__
    assert "nodes" in json.loads(project.run("forerun", "schema"))["properties"]


async def test_a_worker_runs_the_users_own_operation(project: Project, temporal_cli: Path) -> None:
    """`--operations` finds the module in the project, which imports the project's `activities`.

    The server is this test's own: on the shared one another worker might take the run.
    """
    spec = {
        "version": 1,
        "nodes": {
            "greet": {"tool": "my.greet", "args": {"name": "Ann"}},
            "again": {"tool": "my.greet", "args": {"name": "{{ greet }}"}},
        },
    }
    async with (
        DevServer.start(cli=temporal_cli, ui=False) as server,
        project.worker(server.address, "--operations", "my_ops") as worker,
    ):
        assert worker.stdout is not None
        assert (await worker.stdout.readline()).startswith(b"ready")
        client = await Client.connect(server.address)
        result = await client.execute_workflow(
            "AgentDag", spec, id="theirs", task_queue="forerun", result_type=dict
        )

    assert result["outputs"] == {"greet": "Hello, Ann!", "again": "Hello, Hello, Ann!!"}


async def test_a_users_own_workflow_runs_ahead(project: Project, temporal_cli: Path) -> None:
    """The example, as it stands: its own worker, with calls made by forerun's, and a bet that pays."""
    shutil.copy2(ROOT / "examples/support_triage.py", project.folder)
    async with (
        StandIn.serve() as standin,
        DevServer.start(cli=temporal_cli, ui=False) as server,
        project.worker(
            server.address, "--roles", "call,speculative,commit", env=standin_env(standin)
        ) as worker,
    ):
        standin.set_rules(
            [
                {"match": "^What", "reply": "billing", "ttft_ms": 200},
                {"match": "^May", "reply": "send", "ttft_ms": 100},
            ]
        )
        assert worker.stdout is not None
        assert (await worker.stdout.readline()).startswith(b"ready")
        env = {"TEMPORAL_ADDRESS": server.address}
        printed = await asyncio.to_thread(project.run, "python", "support_triage.py", env=env)

    result = json.loads(printed)
    assert result["kind"] == "billing"
    assert result["ledger"]["speculations"]["promoted"] >= 2


def standin_env(standin: StandIn) -> dict[str, str]:
    """Both vendors at the stand-in."""
    return {
        "OPENAI_API_KEY": "unused",
        "OPENAI_BASE_URL": standin.openai_base_url,
        "ANTHROPIC_API_KEY": "unused",
        "ANTHROPIC_BASE_URL": standin.anthropic_base_url,
    }


@cache
def known_to_git() -> list[str]:
    """The files that are committed, or would be by `git add .`."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    names = sorted({name for name in listed.split("\0") if name})
    return [name for name in names if os.path.lexists(ROOT / name)]


def is_file(name: str) -> bool:
    return not (ROOT / name).is_symlink()


def contents(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()

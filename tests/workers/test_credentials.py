"""Who can commit: one role has the code, the addresses and the passwords for it, and no other."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from temporalio.client import Client

from forerun.workers.assembly import assemble
from forerun.workers.cli.surroundings import worker_settings
from forerun.workers.roles import Role, activities_of
from forerun.workers.settings import EFFECT_URLS, Settings
from forerun.workflows.options import COMMIT_QUEUE
from tests.workers.commands import Place

TREE = Path(__file__).parents[2]
PASSWORD = "very-secret"


@pytest.mark.parametrize("role", list(Role))
async def test_only_one_role_commits_stages_and_discards(
    role: Role, temporal_client: Client, tmp_path: Path
) -> None:
    """The others cannot even be asked: they poll other queues, and have not the activities."""
    env = {name: f"sqlite:///{tmp_path}/{name}" for name in EFFECT_URLS}
    parts = assemble(Settings.from_env({"HOME": str(tmp_path), **env}))

    known = {activity.__name__ for activity in activities_of(role, temporal_client, parts)}

    effects = {"commit", "stage", "discard", "sweep"}
    assert known & effects == (effects if role is Role.COMMIT else set())
    assert (role.queue == COMMIT_QUEUE) is (role is Role.COMMIT)
    assert os.listdir(tmp_path) == []


def test_a_worker_that_commits_nothing_forgets_where_effects_go(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Its environment has the passwords no more, which its tools could read; and it says so."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in EFFECT_URLS:
        monkeypatch.setenv(name, f"postgresql://me:{PASSWORD}@db/effects")

    held = worker_settings(commits=True)
    assert PASSWORD in held.outbox_url
    found = worker_settings(commits=False)

    assert not [value for value in os.environ.values() if PASSWORD in value]
    assert (found.outbox_url[:10], found.drafts_url[:10]) == ("sqlite:///", "sqlite:///")
    said = capsys.readouterr().err
    for name in EFFECT_URLS:
        assert f"forerun: {name} is for the role commit alone" in said
    assert PASSWORD not in said


def test_the_command_does_so(place: Place) -> None:
    """`forerun worker --roles call`, with the address of a database in its environment."""
    env = {EFFECT_URLS[0]: f"postgresql://me:{PASSWORD}@db/x", "TEMPORAL_ADDRESS": "https://no"}

    ended = place("worker", "--roles", "call", env=env)

    assert (ended.code, ended.stdout) == (2, "")
    assert "for the role commit alone" in ended.stderr
    assert PASSWORD not in ended.stderr


def test_the_contract_on_who_may_import_the_committing_code_has_teeth(tmp_path: Path) -> None:
    """One import too many, anywhere in the workflows but in the barrier, and the check fails."""
    for name in ("speculation", "workflows", "activities", "workers", "forerun"):
        shutil.copytree(TREE / name, tmp_path / name, symlinks=True)
    shutil.copy(TREE / "pyproject.toml", tmp_path)
    engine = tmp_path / "workflows" / "engine.py"
    engine.write_text(f"{engine.read_text()}\nimport forerun.activities.effects.commit\n")

    checked = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert checked.returncode == 1
    assert "Only the workers can import the code that commits effects BROKEN" in checked.stdout
    assert "forerun.workflows.engine -> forerun.activities.effects.commit" in checked.stdout

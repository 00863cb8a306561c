"""docker-compose.yml: a server like that of `forerun up`, and credentials only where they are used."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from forerun.activities.namespace import SEARCH_ATTRIBUTES
from forerun.workers.devserver.readiness import TYPE_NAMES
from forerun.workers.devserver.server import DYNAMIC_CONFIG

COMPOSE = (Path(__file__).parents[2] / "docker-compose.yml").read_text()


@pytest.mark.parametrize("setting", DYNAMIC_CONFIG)
def test_every_dynamic_setting_is_there(setting: str) -> None:
    """Latency and pushed cancellation do not depend on where the server runs."""
    key, _, value = setting.replace('"', "").partition("=")
    assert f"{key}: [{{value: {value}}}]" in COMPOSE


@pytest.mark.parametrize("name", SEARCH_ATTRIBUTES)
def test_every_search_attribute_is_registered(name: str) -> None:
    """A run is found by the same attributes there."""
    assert f"--name {name} --type {TYPE_NAMES[SEARCH_ATTRIBUTES[name]]}" in COMPOSE


def service(name: str) -> str:
    """What the file says of one service."""
    found = re.search(rf"^  {name}:.*?(?=^  \w|^\w)", COMPOSE, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[0]


def test_only_the_commit_worker_can_reach_what_effects_write_to() -> None:
    """Neither the addresses of the databases nor the disk are anybody else's."""
    commit = service("commit")

    assert "[worker, --roles, commit]" in commit
    for held in ("FORERUN_OUTBOX_URL", "FORERUN_DRAFTS_URL", "volumes: [effects:/data]"):
        assert held in commit
        assert COMPOSE.count(held) == 1
    assert "commit" not in service("worker")


def test_the_commit_worker_calls_no_model() -> None:
    """So it holds no key of a provider."""
    assert "API_KEY" not in service("commit")
    assert "OPENAI_API_KEY" in service("worker")

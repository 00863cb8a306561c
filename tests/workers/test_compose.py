"""The server of docker-compose.yml is set up like the one `forerun up` starts."""

from __future__ import annotations

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

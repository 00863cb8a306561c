"""One real dev server for the whole test session."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import settings
from temporalio.client import Client

from forerun.workers.devserver import DevServer, find_cli
from forerun.workers.plugin import forerun_plugin

# Machines are shared and noisy: an example that takes long says nothing about the code.
settings.register_profile("forerun", deadline=None)
settings.load_profile("forerun")


@pytest.fixture(scope="session")
def temporal_cli() -> Path:
    """The Temporal CLI in use."""
    return find_cli(os.environ, sys.stderr)


@pytest.fixture(scope="session")
async def dev_server(temporal_cli: Path) -> AsyncIterator[DevServer]:
    """A dev server without UI; every test gives its workflows and task queues names of its own."""
    async with DevServer.start(cli=temporal_cli, ui=False) as server:
        yield server


@pytest.fixture(scope="session")
async def temporal_client(dev_server: DevServer) -> Client:
    """A client of `dev_server`, as forerun's own."""
    return await Client.connect(dev_server.address, plugins=[forerun_plugin()])

"""Model calls through the real vendor SDKs, over HTTP, to the stand-in server."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from forerun.workers.standin.serve import StandIn
from tests.activities.vendors import Vendors


@pytest.fixture(scope="session")
async def _house() -> AsyncGenerator[Vendors]:
    # One set of clients, as in a worker: each reads the certificates of the whole world.
    async with StandIn.serve() as standin, Vendors.of(standin) as house:
        yield house


@pytest.fixture
async def vendors(_house: Vendors) -> Vendors:
    """The model call activity with both vendors behind it; no rules, an empty log."""
    _house.standin.set_rules([])
    _house.standin.clear_requests()
    return _house

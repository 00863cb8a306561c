"""`outbox.put`, whoever races: in one process, between processes, against an open transaction."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from temporalio.exceptions import ApplicationError

from forerun.activities.effects.database import IDEMPOTENCY_CONFLICT
from forerun.activities.effects.outbox import Outbox
from tests.activities.databases import path_of, postgres, rows
from tests.activities.outbox_puts import MESSAGE, put


async def test_race_in_one_process(database_url: str) -> None:
    """Many commits of one key at once, from two workers, leave one row and agree on its receipt."""
    workers = [Outbox(database_url), Outbox(database_url)]
    receipts = await asyncio.gather(*(put(workers[n % 2], MESSAGE) for n in range(16)))
    assert len(rows(database_url, "outbox")) == 1
    assert all(receipt == receipts[0] for receipt in receipts)


async def test_race_of_different_arguments(database_url: str) -> None:
    """Of two messages that race for one key, one is kept and the other is told."""
    outbox = Outbox(database_url)
    attempts = (put(outbox, MESSAGE | {"subject": f"{n % 2}"}) for n in range(8))
    results = await asyncio.gather(*attempts, return_exceptions=True)
    refused = [it for it in results if isinstance(it, ApplicationError)]
    assert [it.type for it in refused] == [IDEMPOTENCY_CONFLICT] * 4
    assert len(rows(database_url, "outbox")) == 1


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


def test_race_between_processes(database_url: str) -> None:
    """Processes that meet in a database without a table yet agree on every receipt."""
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, database_url],
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
    assert len(rows(database_url, "outbox")) == 20
    assert answers[0] == answers[1] == answers[2]


async def test_hanging_writer_is_waited_for(tmp_path: Path) -> None:
    """In SQLite a put waits for any other writer's transaction instead of failing."""
    url = f"sqlite:///{tmp_path}/outbox.sqlite3"
    outbox = Outbox(url)
    await put(outbox, MESSAGE, "first")
    with closing(sqlite3.connect(path_of(url), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        waiting = asyncio.ensure_future(put(outbox, MESSAGE, "second"))
        await asyncio.sleep(0)
        assert not waiting.done()
        other.execute("COMMIT")
    assert (await waiting)["key"] == "second"


@pytest.mark.parametrize("ends", ["COMMIT", "ROLLBACK"])
async def test_race_with_an_open_transaction(postgres_url: str, ends: str) -> None:
    """In PostgreSQL a put waits for the transaction that has its key, and abides by its end."""
    outbox = Outbox(postgres_url)
    await put(outbox, MESSAGE, "another")
    with postgres(postgres_url) as other:
        other.execute(
            "INSERT INTO outbox SELECT 'flow/run/send', digest, workflow_id, run_id, intent,"
            " approved_by, arguments, 'earlier' FROM outbox"
        )
        waiting = asyncio.ensure_future(put(outbox, MESSAGE))
        await asyncio.to_thread(_wait_until_blocked, postgres_url)
        other.execute(ends.encode())
        receipt = await waiting
    assert (receipt["committed_at"] == "earlier") is (ends == "COMMIT")
    assert len(rows(postgres_url, "outbox")) == 2


def _wait_until_blocked(url: str) -> None:
    with postgres(url) as connection:
        query = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        while connection.execute(query).fetchone() == (0,):
            time.sleep(0.01)


async def test_any_default_of_the_server(postgres_url: str) -> None:
    """A server that isolates transactions more by default changes nothing."""
    with postgres(postgres_url) as connection:
        name = connection.info.dbname
        statement = f"ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'"
        connection.execute(statement.encode())
    outbox = Outbox(postgres_url)
    receipts = await asyncio.gather(*(put(outbox, MESSAGE) for _ in range(8)))
    assert all(receipt == receipts[0] for receipt in receipts)

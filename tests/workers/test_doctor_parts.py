"""What the doctor makes of what it is told: no server is needed for that."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from temporalio.api.enums.v1 import IndexedValueType

from forerun.activities.effects.database import Database
from forerun.activities.effects.outbox import OUTBOX
from forerun.workers.devserver.ports import HOST, free_port
from forerun.workers.doctor.attributes import attributes
from forerun.workers.doctor.clock import Offset, clock
from forerun.workers.doctor.databases import look_at_databases
from forerun.workers.doctor.finding import Finding, State
from forerun.workers.doctor.models import OLD_DAYS, age, look_at_models, newest_change
from forerun.workers.doctor.queues import OLD_SECONDS, OURS, queue, slots
from forerun.workers.doctor.server import cuts, priority
from forerun.workers.pollers import Poller
from forerun.workers.roles import Role
from forerun.workers.settings import Settings
from tests.workers.findings import of

NOW = datetime(2026, 11, 21, tzinfo=UTC)
SECRET = "sk-very-secret"


def settings(**env: str) -> Settings:
    return Settings.from_env({"HOME": "/nowhere", **env})


def test_what_follows_from_a_version() -> None:
    """Push cancel since 1.32, priorities since 1.31, and moving what is queued since 1.30."""
    states = {version: priority(version).state for version in [(1, 29), (1, 30), (1, 31), (2, 0)]}
    assert list(states.values()) == [State.WARN, State.WARN, State.OK, State.OK]
    assert priority(()).state is State.WARN
    assert "1.32" in cuts((1, 31), pushes=False).fix
    assert cuts((1, 32), pushes=True).state is State.OK


def poller(seconds_ago: float = 0, build: str = OURS) -> Poller:
    return Poller(identity="w", seen=NOW - timedelta(seconds=seconds_ago), build=build)


@pytest.mark.parametrize(
    ("pollers", "state", "says"),
    [
        ([poller(OLD_SECONDS - 1), poller(300)], State.OK, "2 workers on forerun, last seen 74 s"),
        ([poller(OLD_SECONDS + 1)], State.FAIL, "nobody polls forerun now, last seen 76 s ago"),
        ([], State.FAIL, "nobody polls forerun"),
        ([poller(), poller(build="forerun-0.0.1")], State.WARN, "forerun-0.0.1"),
        ([poller(-2)], State.OK, "last seen 0 s ago"),
    ],
)
def test_who_has_not_polled_for_long_is_gone(
    pollers: list[Poller], state: State, says: str
) -> None:
    """A waiting poll is up to 60 s old; and two versions at once are worth a word."""
    found = queue(Role.WORKFLOW, pollers, NOW)

    assert found.state is state
    assert says in found.what


def test_no_free_slot_is_a_warning() -> None:
    """What is launched then waits."""
    assert slots(free=1, used=7).state is State.OK
    assert slots(free=0, used=8).state is State.WARN


def test_clocks_are_told_with_how_exactly() -> None:
    """Only what is beyond the doubt counts."""
    assert clock(Offset(seconds=0.9, within=0.0)).what == "+900 ms from the server's (± 0 ms)"
    assert clock(Offset(seconds=-3.0, within=2.5)).state is State.OK
    assert clock(Offset(seconds=-3.0, within=0.5)).state is State.WARN


def test_a_wrong_type_counts_more_than_a_missing_name() -> None:
    """It is never written, and nobody would find out why."""
    text = IndexedValueType.INDEXED_VALUE_TYPE_TEXT
    found = attributes({"ForerunWorkload": text})

    assert (found.state, attributes({}).state) == (State.FAIL, State.WARN)
    assert "ForerunWorkload is a TEXT here" in found.what


def test_models_without_a_price_are_named() -> None:
    """With how to give one; so are those of providers that there are not."""
    found = look_at_models(settings(), ["openai:gpt-4o-mini", "openai:nobodys", "x:y"], NOW)

    assert of("model openai:gpt-4o-mini", found).state is State.OK
    assert of("model openai:nobodys", found).state is State.WARN
    assert '"openai:nobodys"' in of("model openai:nobodys", found).fix
    assert of("model x:y", found).state is State.FAIL
    assert of("model anthropic:sim-mid", found).state is State.OK  # the example's


def test_a_price_table_ages() -> None:
    """By its newest price that is in force; those announced for later tell nothing."""
    newest = newest_change(NOW.date())

    assert date(2026, 1, 1) < newest <= NOW.date()
    assert age(newest, newest + timedelta(days=OLD_DAYS)).state is State.OK
    assert age(newest, newest + timedelta(days=OLD_DAYS + 1)).state is State.WARN


def test_of_keys_only_their_presence_is_told(tmp_path: Path) -> None:
    """Not one character of them, nor of a database's password."""
    refused = free_port()
    found = [
        *look_at_models(settings(OPENAI_API_KEY=SECRET), [], NOW),
        *look_at_databases(
            settings(
                FORERUN_OUTBOX_URL=f"postgresql://me:{SECRET}@{HOST}:{refused}/effects",
                FORERUN_DRAFTS_URL=f"mysql://me:{SECRET}@{HOST}/effects",
            )
        ),
    ]

    assert of("key openai", found).state is State.OK
    assert of("key anthropic", found).state is State.WARN
    assert of("outbox", found).state is of("drafts", found).state is State.FAIL
    assert f"me:***@{HOST}:{refused}" in of("outbox", found).what
    assert SECRET not in str(found)
    assert SECRET[:5] not in str(found)


def test_databases_are_looked_at_and_not_made(tmp_path: Path) -> None:
    """A file to come, one that is none, and a place where there can be none."""
    (tmp_path / "text").write_text("no database, but long enough to be read as one" * 10)

    def outbox(path: str) -> Finding:
        return of("outbox", look_at_databases(settings(FORERUN_OUTBOX_URL=f"sqlite:///{path}")))

    to_come = outbox(f"{tmp_path}/deep/outbox.sqlite3")
    broken = outbox(f"{tmp_path}/text")
    nowhere = outbox(f"{tmp_path}/text/outbox.sqlite3")

    assert (to_come.state, broken.state, nowhere.state) == (State.OK, State.FAIL, State.FAIL)
    assert "will be made" in to_come.what
    assert sorted(path.name for path in tmp_path.iterdir()) == ["text"]


def test_a_database_is_told_with_its_table(tmp_path: Path) -> None:
    """Another program's file, and that file once a commit has been there."""
    url = f"sqlite:///{tmp_path}/outbox.sqlite3"
    with closing(sqlite3.connect(tmp_path / "outbox.sqlite3")) as connection:
        connection.execute("create table others (id)")
    before = of("outbox", look_at_databases(settings(FORERUN_OUTBOX_URL=url)))
    with Database(url, OUTBOX).begin():
        pass
    after = of("outbox", look_at_databases(settings(FORERUN_OUTBOX_URL=url)))

    assert before.state is after.state is State.OK
    assert before.what == f"{url} is there, its table will be made by the first commit"
    assert after.what == f"{url} is there"

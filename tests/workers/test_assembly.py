"""What a worker is made of comes from its settings, and what cannot be made is said at once."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Worker

from forerun.activities.namespace import Namespaces
from forerun.activities.registration import RegistrationError
from forerun.workers.assembly import assemble, prepare_effects
from forerun.workers.connection import Server, away
from forerun.workers.devserver import DevServer
from forerun.workers.devserver.ports import free_port
from forerun.workers.fleet import Fleet, WorkerStopped
from forerun.workers.pollers import ACTIVITIES, WORKFLOWS, pollers, until_polled
from forerun.workers.roles import QUEUES, Role
from forerun.workers.settings import Settings, SettingsError

SECRET = "very-secret"


def settings(**env: str) -> Settings:
    return Settings.from_env({"HOME": "/nowhere", **env})


def test_the_built_in_operations_are_there_and_nothing_is_opened(tmp_path: Path) -> None:
    """A worker that commits nothing has the cards of effects, and leaves their databases alone."""
    parts = assemble(settings(XDG_DATA_HOME=f"{tmp_path}/deep"))

    names = {"drafts.put", "echo", "http.get", "http.post", "kb.search", "outbox.put"}
    assert parts.registry.cards.keys() == names
    assert not (tmp_path / "deep").exists()


@pytest.mark.parametrize("name", ["FORERUN_OUTBOX_URL", "FORERUN_DRAFTS_URL"])
def test_the_folders_of_effects_are_made_for_the_role_that_commits(
    tmp_path: Path, name: str
) -> None:
    """And where one cannot be, the variable is named."""
    env = {"XDG_DATA_HOME": f"{tmp_path}/data"}
    prepare_effects(settings(**env, **{name: f"sqlite:///{tmp_path}/deep/effects.sqlite3"}))
    (tmp_path / "file").touch()

    assert (tmp_path / "deep").is_dir()
    with pytest.raises(SettingsError, match=name):
        prepare_effects(settings(**env, **{name: f"sqlite:///{tmp_path}/file/effects.sqlite3"}))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FORERUN_OUTBOX_URL", f"mysql://me:{SECRET}@db/x"),
        ("FORERUN_OUTBOX_URL", "sqlite://"),
        ("FORERUN_OUTBOX_URL", f"no url {SECRET}"),
        ("FORERUN_OUTBOX_URL", f"postgresql+psycopg2://me:{SECRET}@db/x"),
        ("FORERUN_DRAFTS_URL", f"postgresql+asyncpg://me:{SECRET}@db/x"),
        ("FORERUN_HTTP_ALLOW", "example.com, https://example.com"),
        ("FORERUN_PRICES", __file__),
        ("FORERUN_EMBEDDINGS", "text-embedding-3-small"),
        ("FORERUN_EMBEDDINGS", "anthropic:text-embedding-3-small"),
        ("FORERUN_JUDGE", "sim-small"),
        ("FORERUN_JUDGE", "acme:sim-small"),
        ("FORERUN_JUDGE", "openai:"),
    ],
)
def test_a_bad_setting_is_one_line_with_its_variable(name: str, value: str) -> None:
    """And without the password that it may hold."""
    with pytest.raises(SettingsError, match=name) as caught:
        assemble(settings(**{name: value}))

    assert "\n" not in str(caught.value)
    assert SECRET not in str(caught.value)


def test_operations_of_the_users_own_join_the_built_in_ones() -> None:
    """A module that is not there is named."""
    with pytest.raises(RegistrationError, match=r"'my_package\.operations'"):
        assemble(settings(), ["my_package.operations"])


def test_every_role_has_a_queue_of_its_own() -> None:
    """Or one would crowd out another."""
    assert len(set(QUEUES.values())) == len(Role)


async def test_only_this_process_counts_as_ready(temporal_client: Client) -> None:
    """By its identity, and separately for workflows and activities."""
    queue = "test-pollers"
    activities = [Namespaces().registered_search_attributes]
    async with Worker(temporal_client, task_queue=queue, activities=activities):
        await until_polled(temporal_client, [(queue, ACTIVITIES)])

        assert await pollers(temporal_client, (queue, ACTIVITIES)) == {temporal_client.identity}
        assert await pollers(temporal_client, (queue, WORKFLOWS)) == set()


@pytest.mark.parametrize(
    ("status", "words", "expected"),
    [
        (RPCStatusCode.UNAVAILABLE, "tcp connect error", True),
        (RPCStatusCode.UNKNOWN, "transport error", True),
        (RPCStatusCode.UNKNOWN, "something else", False),
        (RPCStatusCode.NOT_FOUND, "transport error", False),
    ],
)
def test_who_is_away_has_not_refused(status: RPCStatusCode, words: str, expected: bool) -> None:
    """The core reports a connection that breaks off as an unknown error."""
    assert away(RPCError(words, status, b"")) is expected


async def test_a_server_that_is_restarted_is_waited_for(temporal_cli: Path) -> None:
    """Also where it goes in the middle of an answer."""
    queue, port = "test-pollers", free_port()
    async with DevServer.start(cli=temporal_cli, port=port, ui=False) as server:
        client = await Client.connect(server.address)
        asking = [
            asyncio.create_task(until_polled(client, [(queue, ACTIVITIES)])) for _ in range(20)
        ]
        await asyncio.sleep(0)
        os.kill(server.pid, signal.SIGKILL)
        await server.ended()

    async with DevServer.start(cli=temporal_cli, port=port, ui=False):
        activities = [Namespaces().registered_search_attributes]
        async with Worker(client, task_queue=queue, activities=activities):
            await asyncio.gather(*asking)


async def test_a_namespace_that_is_not_there_is_one_line(dev_server: DevServer) -> None:
    """Instead of workers that poll for ever."""
    server = Server({"target_host": dev_server.address, "namespace": "nowhere"})

    with pytest.raises(WorkerStopped, match=r"nowhere.* not found"):
        async with Fleet.start(await server.connect(), assemble(settings()), list(Role)):
            pass

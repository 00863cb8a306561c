"""The dev server is usable from the first line on, can be restarted, and never outlives us."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes

from forerun.workers.devserver import DevServer, DevServerError, ports, server
from forerun.workers.devserver.ports import HOST, check_port, free_port

EXPECTED_ATTRIBUTES = {
    "ForerunWorkload": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    "ForerunAwaiting": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST,
    "ForerunSpentUsd": IndexedValueType.INDEXED_VALUE_TYPE_DOUBLE,
    "ForerunWastedUsd": IndexedValueType.INDEXED_VALUE_TYPE_DOUBLE,
    "ForerunSavedSeconds": IndexedValueType.INDEXED_VALUE_TYPE_DOUBLE,
}

PARENT = """
import asyncio, sys
from pathlib import Path
from forerun.workers.devserver import DevServer

async def main():
    cli, port, db = sys.argv[1:]
    async with DevServer.start(cli=Path(cli), port=int(port), db=Path(db), ui=False):
        print("ready", flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""

LEASHED_SLEEP = """
import os, subprocess, sys
from forerun.workers.devserver.leash import leashed, watch

if sys.argv[1] == "watch":
    command = [sys.executable, __file__, "watcher", str(os.getpid())]
elif sys.argv[1] == "watcher":
    sys.exit(watch(int(sys.argv[2]), ["/bin/sleep", "60"]))
else:
    command = leashed(["/bin/sleep", "60"])
child = subprocess.Popen(command)
print("ready", flush=True)
child.wait()
"""


def script(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(("#!/bin/sh", *lines)))
    path.chmod(0o755)
    return path


async def custom_attributes(client: Client) -> dict[str, IndexedValueType.ValueType]:
    reply = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace="default")
    )
    return dict(reply.custom_attributes)


async def until_found(client: Client, query: str) -> None:
    """Visibility is written a moment after the start of a workflow."""
    async with asyncio.timeout(10):
        while True:
            if (await client.count_workflows(query)).count:
                return
            await asyncio.sleep(0.02)


async def test_cancellations_can_be_pushed(temporal_client: Client) -> None:
    """The server advertises worker commands, which its defaults switch off."""
    reply = await temporal_client.workflow_service.describe_namespace(
        DescribeNamespaceRequest(namespace="default")
    )
    assert reply.namespace_info.capabilities.worker_commands
    assert reply.namespace_info.capabilities.worker_heartbeats


async def test_search_attributes_are_usable_at_once(temporal_cli: Path) -> None:
    """The first thing done on a new server may be a run that carries all five attributes."""
    values = TypedSearchAttributes(
        [
            SearchAttributePair(SearchAttributeKey.for_keyword("ForerunWorkload"), "reply"),
            SearchAttributePair(SearchAttributeKey.for_keyword_list("ForerunAwaiting"), ["send"]),
            *(
                SearchAttributePair(SearchAttributeKey.for_float(name), 0.25)
                for name in ("ForerunSpentUsd", "ForerunWastedUsd", "ForerunSavedSeconds")
            ),
        ]
    )
    async with DevServer.start(cli=temporal_cli, ui=False) as fresh:
        client = await Client.connect(fresh.address)
        assert EXPECTED_ATTRIBUTES.items() <= (await custom_attributes(client)).items()
        await client.start_workflow("Idle", id="w", task_queue="q", search_attributes=values)
        query = "ForerunWorkload = 'reply' AND ForerunAwaiting = 'send' AND ForerunSpentUsd = 0.25"
        await until_found(client, query)


async def test_restart_on_the_same_ports_and_database(temporal_cli: Path, tmp_path: Path) -> None:
    """A restarted server has the same addresses and still runs what was started before."""
    port, ui_port, db = free_port(), free_port(), tmp_path / "state.sqlite3"
    for fresh in (True, False):
        async with DevServer.start(cli=temporal_cli, port=port, ui_port=ui_port, db=db) as running:
            assert running.address == f"{HOST}:{port}"
            assert running.ui_url == f"http://{HOST}:{ui_port}"
            client = await Client.connect(running.address)
            if fresh:
                await client.start_workflow("Idle", id="kept", task_queue="q")
            found = await client.get_workflow_handle("kept").describe()
            assert found.status is WorkflowExecutionStatus.RUNNING


async def test_a_database_without_our_attributes_gets_them(
    temporal_cli: Path, tmp_path: Path
) -> None:
    """A database made by `temporal server start-dev` alone becomes usable for forerun."""
    db, port = tmp_path / "plain.sqlite3", free_port()
    await plain_server(temporal_cli, port, "--db-filename", str(db))
    async with DevServer.start(cli=temporal_cli, db=db, ui=False) as running:
        client = await Client.connect(running.address)
        assert EXPECTED_ATTRIBUTES.items() <= (await custom_attributes(client)).items()


async def test_a_database_without_room_is_refused(temporal_cli: Path, tmp_path: Path) -> None:
    """Where the user's own attributes leave no room, one error says so and names the flag."""
    db, port = tmp_path / "full.sqlite3", free_port()
    own = [part for name in "ABC" for part in ("--search-attribute", f"{name}=Double")]
    await plain_server(temporal_cli, port, "--db-filename", str(db), *own)
    with pytest.raises(DevServerError, match=r"cannot hold forerun's search attributes.*--db"):
        async with DevServer.start(cli=temporal_cli, db=db, ui=False):
            pass


async def plain_server(cli: Path, port: int, *options: str) -> None:
    """Run `temporal server start-dev` as it comes until it has made its database."""
    process = await asyncio.create_subprocess_exec(
        *(cli, "server", "start-dev", "--headless", "--port", str(port), *options),
        *("--log-level", "never"),
        stdout=subprocess.DEVNULL,
    )
    async with asyncio.timeout(20):
        while True:
            try:
                await (await Client.connect(f"localhost:{port}")).count_workflows()
                break
            except RuntimeError:
                await asyncio.sleep(0.05)
    process.terminate()
    await process.wait()


async def test_the_server_dies_with_a_killed_parent(temporal_cli: Path, tmp_path: Path) -> None:
    """After `kill -9` of its parent the same ports and database can be used at once."""
    port, db = free_port(), tmp_path / "state.sqlite3"
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PARENT, str(temporal_cli), str(port), str(db)),
        stdout=subprocess.PIPE,
    )
    assert parent.stdout
    assert await parent.stdout.readline() == b"ready\n"
    parent.kill()
    await parent.wait()
    async with DevServer.start(cli=temporal_cli, port=port, db=db, ui=False) as running:
        assert running.address == f"{HOST}:{port}"


@pytest.mark.parametrize("how", ["leash", "watch"])
def test_a_leashed_child_dies_with_its_parent(how: str, tmp_path: Path) -> None:
    """By the kernel's leash and by watching alike, nothing is left that holds our pipe open."""
    program = tmp_path / "parent.py"
    program.write_text(LEASHED_SLEEP)
    parent = subprocess.Popen([sys.executable, str(program), how], stdout=subprocess.PIPE)
    assert parent.stdout
    assert parent.stdout.readline() == b"ready\n"
    parent.kill()
    assert parent.communicate(timeout=20) == (b"", None)


@pytest.mark.parametrize("flag", ["--port", "--ui-port"])
async def test_a_taken_port_is_named(
    flag: str, temporal_cli: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line names the port that is in use and the flag that changes it; nothing was started."""
    monkeypatch.setattr(ports, "GRACE_SECONDS", 0.0)
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        chosen = {"--port": (port, None), "--ui-port": (None, port)}[flag]
        with pytest.raises(DevServerError) as caught:
            async with DevServer.start(cli=temporal_cli, port=chosen[0], ui_port=chosen[1]):
                pass
    assert str(caught.value) == (
        f"port {port} on 127.0.0.1 is in use by another process: choose another one with {flag}"
    )


async def test_a_port_about_to_be_free_is_waited_for() -> None:
    """A server that is on its way out does not stop the next one."""
    leaving = socket.create_server((HOST, 0))
    port = leaving.getsockname()[1]
    asyncio.get_running_loop().call_later(0.1, leaving.close)
    await check_port(port, flag="--port")


async def test_an_early_death_is_told_with_its_last_words(tmp_path: Path) -> None:
    """A server that ends before it is usable gives one error with its exit code and output."""
    cli = script(tmp_path / "temporal", "echo disk is full >&2", "exit 3")
    with pytest.raises(DevServerError, match=r"exit code 3; its last output:\ndisk is full$"):
        async with DevServer.start(cli=cli):
            pass


async def test_a_stubborn_server_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that is never ready and ignores SIGTERM is reported, and gone afterwards."""
    monkeypatch.setattr(server, "READY_SECONDS", 0.5)
    monkeypatch.setattr(server, "STOP_SECONDS", 0.1)
    pid_file = tmp_path / "pid"
    cli = script(
        tmp_path / "temporal", f"echo $$ > {pid_file}", "trap '' TERM", "exec /bin/sleep 60"
    )
    with pytest.raises(DevServerError, match="was not usable within"):
        async with DevServer.start(cli=cli, ui=False):
            pass
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid_file.read_text()), 0)


async def test_a_server_that_ends_on_its_own_is_noticed(temporal_cli: Path) -> None:
    """`ended` waits as long as the server lives and then says how it went."""
    async with DevServer.start(cli=temporal_cli, ui=False) as running:
        end = asyncio.create_task(running.ended())
        os.kill(running.pid, signal.SIGKILL)
        assert "was killed by signal 9" in str(await end)

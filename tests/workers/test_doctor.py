"""The doctor sees what a server, its workers and the settings allow, and says what to type."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import (
    AddSearchAttributesRequest,
    RemoveSearchAttributesRequest,
)
from temporalio.client import Client
from temporalio.runtime import Runtime, TelemetryConfig
from temporalio.testing import ActivityEnvironment

from forerun.activities.namespace import Namespaces
from forerun.workers.assembly import assemble
from forerun.workers.devserver import DevServer
from forerun.workers.devserver.leash import leashed
from forerun.workers.devserver.ports import HOST, free_port
from forerun.workers.doctor.examine import Order, examine
from forerun.workers.doctor.finding import Finding, State
from forerun.workers.doctor.queues import look_at_slots
from forerun.workers.plugin import forerun_plugin
from forerun.workers.roles import Role, worker_of
from forerun.workers.settings import Settings
from tests.workers.commands import Place
from tests.workers.conftest import Up
from tests.workers.findings import of

SECRET = "sk-very-secret"


@pytest.fixture(scope="module")
async def bare(temporal_cli: Path) -> AsyncIterator[str]:
    """The address of a server as it comes: without our attributes, our settings, any worker."""
    port = free_port()
    command = [str(temporal_cli), "server", "start-dev", "--headless", "--log-level", "error"]
    command += ["--ip", HOST, "--port", str(port), "--disable-config-env", "--disable-config-file"]
    process = await asyncio.create_subprocess_exec(
        *leashed(command), stdout=asyncio.subprocess.DEVNULL
    )
    address = f"{HOST}:{port}"
    try:
        await _until_usable(address)
        yield address
    finally:
        process.terminate()
        await process.wait()


async def _until_usable(address: str) -> None:
    async with asyncio.timeout(30):
        while True:
            found = await examine({"TEMPORAL_ADDRESS": address}, Order())
            if of("server", found).state is State.OK and of("search", found).fix:
                return
            await asyncio.sleep(0.1)


def settings(**env: str) -> Settings:
    return Settings.from_env({"HOME": "/nowhere", **env})


async def at(
    address: str, *, fix: bool = False, env: Mapping[str, str] | None = None
) -> list[Finding]:
    """What the doctor finds at this address."""
    return await examine(
        {"HOME": "/nowhere", "TEMPORAL_ADDRESS": address, **(env or {})}, Order(fix=fix)
    )


async def test_a_server_of_ours_lacks_nothing(up: Up) -> None:
    """With `forerun up`, all that is left to say is about keys, retention and patience."""
    found = await at(up.temporal)

    well = {finding.subject for finding in found if finding.state is State.OK}
    assert {"server", "cuts", "priority", "clock", "search attributes"} <= well
    assert {f"role {role}" for role in Role} <= well
    assert not [finding for finding in found if finding.state is State.FAIL]


async def test_search_attributes_are_missed_and_registered(bare: str) -> None:
    """Runs go without missing ones and those of another type; `--fix` registers what it can."""
    before = of("search", await at(bare))
    client = await Client.connect(bare)
    keyword = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
    await client.operator_service.add_search_attributes(
        AddSearchAttributesRequest(
            namespace="default", search_attributes={"ForerunSpentUsd": keyword}
        )
    )
    wrong = of("search", await at(bare, fix=True))
    written = await ActivityEnvironment(client).run(Namespaces().registered_search_attributes)
    # What the command says that it names.
    await client.operator_service.remove_search_attributes(
        RemoveSearchAttributesRequest(namespace="default", search_attributes=["ForerunSpentUsd"])
    )
    after = [of("search", await at(bare, fix=fix)) for fix in (False, True, False)]

    assert (before.state, before.fix) == (State.WARN, "forerun doctor --fix")
    assert "ForerunAwaiting" in before.what
    assert "ForerunAwaiting" in written
    assert "ForerunSpentUsd" not in written
    assert wrong.state is State.FAIL
    assert wrong.what == "ForerunSpentUsd is a Keyword here, and must be a Double"
    assert "search-attribute remove --yes --name ForerunSpentUsd" in wrong.fix
    assert [finding.state for finding in after] == [State.WARN, State.OK, State.OK]
    assert after[0].what == "ForerunSpentUsd not registered"


async def test_a_server_as_it_comes_is_slower_and_has_nobody(bare: str) -> None:
    """The lines name the settings, and the command for every role."""
    found = await at(bare)

    assert of("server", found).what.startswith("Temporal 1.")
    assert of("cuts", found).state is State.WARN
    assert "frontend.WorkerCommandsEnabled=true" in of("cuts", found).fix
    for role in Role:
        missing = of(f"role {role}", found)
        expected = State.WARN if role is Role.SPECULATIVE else State.FAIL
        assert (missing.state, missing.fix) == (expected, f"forerun worker --roles {role}")


async def test_slots_are_those_that_workers_report(bare: str) -> None:
    """They do once a minute, here every second; and whoever polls is seen at once."""
    runtime = Runtime(telemetry=TelemetryConfig(), worker_heartbeat_interval=timedelta(seconds=1))
    client = await Client.connect(bare, plugins=[forerun_plugin()], runtime=runtime)
    assert (await look_at_slots(client))[0].state is State.WARN
    role = Role.SPECULATIVE
    async with worker_of(role, client, assemble(settings()), speculative_slots=3):
        async with asyncio.timeout(20):
            (found,) = await look_at_slots(client)
            while found.state is not State.OK:
                await asyncio.sleep(0.1)
                (found,) = await look_at_slots(client)
        polled = of(f"role {role}", await at(bare))

    assert found.what == "3 speculative slots, 0 in use"
    assert polled.what.startswith("1 worker on forerun-speculative, last seen ")


async def test_without_a_server_the_rest_is_looked_at(tmp_path: Path) -> None:
    """One line says so; no exception does."""
    found = await at(f"{HOST}:{free_port()}", env={"XDG_DATA_HOME": str(tmp_path)})

    server, *rest = found
    assert (server.subject, server.state, server.fix) == ("server", State.FAIL, "forerun up")
    assert "\n" not in server.what
    assert {"prices", "key openai", "outbox", "drafts"} <= {finding.subject for finding in rest}


async def test_bad_settings_are_a_line_too() -> None:
    """Of a profile as of a variable: the doctor is who one asks when they are bad."""
    found = await at("http://here", env={"FORERUN_LOG": "loud"})

    assert [finding.subject for finding in found] == ["server", "settings"]
    assert all(finding.state is State.FAIL for finding in found)


async def test_a_namespace_that_is_not_there_is_named(dev_server: DevServer) -> None:
    """With the command that makes it."""
    found = await at(dev_server.address, env={"TEMPORAL_NAMESPACE": "nowhere"})

    assert of("server", found).fix == "temporal operator namespace create --namespace nowhere"
    assert not [finding for finding in found if finding.subject == "cuts"]


def test_the_command_ends_with_what_it_found(up: Up, place: Place) -> None:
    """0 if nothing fails, 1 otherwise, as lines or as JSON; a bad model name is bad input."""
    well, badly = up.run("doctor", "--json"), place("doctor", env={"OPENAI_API_KEY": SECRET})
    shown = json.loads(well.stdout)

    assert (well.code, badly.code) == (0, 1)
    assert shown["ok"] is True
    assert set(shown["findings"][0]) == {"state", "subject", "what", "consequence", "fix"}
    assert badly.stdout.startswith("fail  server")
    assert "→ forerun up\n" in badly.stdout
    assert SECRET not in badly.stdout + badly.stderr
    assert place("doctor", "--model", "gpt").code == 2

"""Processes: up when they say so, gone when they should be, one clear line when they cannot start."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from forerun.workers.cli.process import CommandError
from forerun.workers.cli.runs import Run, start
from forerun.workers.cli.servers import roles_of
from forerun.workers.connection import Server
from forerun.workers.devserver import DevServer
from forerun.workers.devserver.ports import HOST, free_port
from forerun.workers.roles import Role
from tests.workers.commands import Live, Place, address

SEND = {"send": {"effect": "outbox.put", "args": {"to": "m@example.com", "body": "hello"}}}


@pytest.fixture
def taken() -> Iterator[str]:
    """A port on which somebody listens."""
    with socket.create_server((HOST, 0)) as listener:
        yield str(listener.getsockname()[1])


def until_gone(live: Live) -> None:
    deadline = time.monotonic() + 10
    while live.group:
        assert time.monotonic() < deadline, live.group
        time.sleep(0.05)


async def test_up_survives_everything_but_its_end(place: Place) -> None:
    """Ctrl-C ends it in order, `kill -9` at once: no child is left, and all can be used again."""
    ports = [str(free_port()) for _ in range(3)]
    flags = ["--port", ports[0], "--ui-port", ports[1], "--standin-port", ports[2]]
    flags += ["--db", str(place.folder / "runs.db")]

    with place.started("up", *flags) as live:
        ready = live.line("ready")
        assert [address(ready, name).rpartition(":")[2] for name in ("temporal", "ui")] == ports[:2]
        client = await Server.at(address(ready, "temporal")).connect()
        run = await start(client, {"version": 1, "nodes": SEND}, id="kept", summary="test")
        while not await run.waiting():  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.05)
        assert len(live.group) == 3
        live.signal_group(signal.SIGINT)
        ended = live.end()
        assert (ended.code, ended.stderr, live.group) == (0, "", [])

    with place.started("up", *flags) as live:
        client = await Server.at(address(live.line("ready"), "temporal")).connect()
        assert [waiting.intent for waiting in await Run(client, "kept").waiting()] == ["send"]
        live.process.kill()
        until_gone(live)


async def test_a_worker_waits_for_its_server(place: Place, temporal_cli: Path) -> None:
    """And says so; a signal ends it before and after, with the exit code that tells which."""
    port = free_port()
    here = Place(place.folder, {"TEMPORAL_ADDRESS": f"{HOST}:{port}"})
    with here.started("worker", "--roles", "call") as early:
        assert f"{HOST}:{port}" in early.line("waiting for Temporal")
        with here.started("worker", "--roles", "workflow,commit") as live:
            live.line("waiting for Temporal")
            assert early.signal(signal.SIGINT).code == 130
            async with DevServer.start(cli=temporal_cli, port=port, ui=False):
                assert "roles=workflow,commit" in await asyncio.to_thread(live.line, "ready")
                ended = await asyncio.to_thread(live.signal, signal.SIGTERM)

    assert (ended.code, ended.stderr) == (0, "")


@pytest.mark.parametrize("flag", ["--port", "--standin-port"])
def test_a_port_in_use_is_one_line_with_the_flag(place: Place, taken: str, flag: str) -> None:
    """And nothing that was started before it is left."""
    others = [x for f in {"--port", "--ui-port", "--standin-port"} - {flag} for x in (f, "0")]
    with place.started("up", flag, taken, *others) as live:
        ended = live.end()
        assert not live.group

    assert ended.code == 1
    assert taken in ended.complaint
    assert flag in ended.complaint


def test_the_stand_in_says_what_keeps_it_from_starting(place: Place, taken: str) -> None:
    """Alone, and as a child of `up`, whose one line it then is."""
    rules = place.folder / "bad_rules.json"
    rules.write_text(json.dumps([{"match": "("}]))

    port = place("standin", "--port", taken)
    alone = place("standin", "--port", "0", "--rules", str(rules))
    child = place(
        "up", "--port", "0", "--ui-port", "0", "--standin-port", "0", "--rules", str(rules)
    )

    assert (port.code, taken in port.complaint) == (1, True)
    assert (alone.code, "no regular expression" in alone.complaint) == (2, True)
    assert (child.code, child.complaint) == (1, alone.complaint)


def test_roles_are_named_once_and_known() -> None:
    """In the order given; anything else is bad input."""
    assert roles_of("commit, call,commit") == [Role.COMMIT, Role.CALL]
    for bad in ("", "cook", "call,", "workflow call"):
        with pytest.raises(CommandError, match="is no role; name some of workflow,call"):
            roles_of(bad)


def test_help_does_not_wait_for_what_it_does_not_need() -> None:
    """Neither vendor SDKs nor Temporal's take their second at every `--help`."""
    heavy = "{'openai', 'anthropic', 'temporalio', 'sqlalchemy', 'pydantic'}"
    check = f"import sys, forerun.workers.cli.app; sys.exit(bool({heavy} & set(sys.modules)))"

    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0


@pytest.mark.parametrize(
    ("command", "env", "code", "said"),
    [
        ("run loop.json", {}, 2, "loop.json: nodes: the cycle a -> a"),
        ("run good.json", {}, 1, "no Temporal server answers"),
        ("policy", {}, 2, "either an ID or --query"),
        ("worker", {"FORERUN_LOG": "xml"}, 2, "FORERUN_LOG"),
    ],
)
def test_what_a_user_can_mend_is_one_line(
    place: Place, command: str, env: dict[str, str], code: int, said: str
) -> None:
    """On stderr, without a traceback, and with an exit code that is not 0."""
    prompt = {"model": "openai:x", "prompt": "{{ a }}"}
    (place.folder / "loop.json").write_text(json.dumps({"version": 1, "nodes": {"a": prompt}}))
    (place.folder / "good.json").write_text(json.dumps({"version": 1, "nodes": SEND}))
    nobody = {"TEMPORAL_ADDRESS": f"{HOST}:{free_port()}"}

    ended = place(*command.split(), env={**nobody, **env})

    assert (ended.code, ended.stdout) == (code, "")
    assert said in ended.complaint

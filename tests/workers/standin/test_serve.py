"""The stand-in as a process of its own: it starts or says why not, and stops at once."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys

import httpx2
import pytest

from forerun.workers.standin.serve import CannotListen, StandIn, serve

PROGRAM = """
import asyncio, sys
from forerun.workers.standin.serve import serve
asyncio.run(serve(port=int(sys.argv[1]), ready=lambda standin: print(standin.url, flush=True)))
"""
RULE = {"match": "", "reply": "one two", "ttft_ms": 0, "tokens_per_second": 0.001}
BODY = {"model": "m", "messages": [{"role": "user", "content": "x"}], "stream": True}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_signals_end_open_streams(number: signal.Signals) -> None:
    """A signal ends the process without error and without a word, in the middle of a stream."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PROGRAM, "0"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    url = (await process.stdout.readline()).decode().strip()

    async with httpx2.AsyncClient(base_url=url, timeout=20) as client:
        await client.post("/_sim/rules", json=[RULE])
        async with client.stream("POST", "/v1/chat/completions", json=BODY) as reply:
            lines = reply.aiter_lines()
            await anext(lines)
            process.send_signal(number)
            with pytest.raises(httpx2.TransportError):
                [line async for line in lines]

    out, err = await process.communicate()
    assert (process.returncode, out, err) == (0, b"", b"")


async def test_port_in_use() -> None:
    """A taken port is one error of one line that names the address."""
    async with StandIn.serve() as standin:
        port = int(standin.url.rpartition(":")[2])

        with pytest.raises(CannotListen) as raised:
            await serve(port=port)

    assert isinstance(raised.value, OSError)
    assert f"127.0.0.1:{port}" in str(raised.value)
    assert "\n" not in str(raised.value)


async def test_same_port_again() -> None:
    """A stopped server's port is free at once, with a client still connected to it."""
    async with StandIn.serve() as first:
        port = int(first.url.rpartition(":")[2])
        client = socket.create_connection(("127.0.0.1", port))
    async with StandIn.serve(port=port) as second:
        assert second.url == first.url
    client.close()


async def test_leaving_the_block_ends_running_answers() -> None:
    """Leaving `StandIn.serve` ends all streams, and the log says that they were not completed."""
    async with httpx2.AsyncClient(timeout=20) as client:
        async with StandIn.serve() as standin:
            standin.set_rules([RULE])
            url = f"{standin.openai_base_url}/chat/completions"
            stream = client.stream("POST", url, json=BODY)
            reply = await stream.__aenter__()
            await anext(reply.aiter_lines())
        await stream.__aexit__(None, None, None)

    assert [entry["outcome"] for entry in standin.requests()] == ["disconnected"]


async def test_signal_handlers_stay_the_callers() -> None:
    """Serving in-process takes over no signal."""
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]

    async with StandIn.serve():
        during = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]

    assert during == before


async def test_two_servers_share_nothing() -> None:
    """Two servers on one event loop have rules and logs of their own."""
    async with StandIn.serve() as one, StandIn.serve() as two:
        one.set_rules([RULE])
        async with httpx2.AsyncClient() as client:
            rules = (await client.get(f"{two.url}/_sim/rules")).json()

    assert rules == []
    assert one.url != two.url

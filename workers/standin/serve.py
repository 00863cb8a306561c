"""Runs the stand-in: inside a test on its event loop, or as a process of its own.

uvicorn's protocol is used without uvicorn's server: that one takes over signals and logging and
looks every 100 ms whether it should stop. Stopping here aborts all connections and is done.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from typing import Any

import uvicorn
from typing_extensions import override
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from forerun.workers.standin.app import build_app
from forerun.workers.standin.journal import Journal
from forerun.workers.standin.noise import Noise
from forerun.workers.standin.rules import Script, parse_rules

_KEEP_ALIVE_SECONDS = 75  # longer than any client's pool keeps a connection: no race at reuse
_BACKLOG = 2048


class CannotListen(OSError):
    """The address is not to be had; the message is one line that says what to do."""


class StandIn:
    """A running stand-in server.

    `url` is the bare address, `openai_base_url` and `anthropic_base_url` are what the vendor SDKs
    take as their base URL.
    """

    def __init__(self, url: str, script: Script, journal: Journal, state: ServerState) -> None:
        self.url = url
        self.openai_base_url = f"{self.url}/v1"
        self.anthropic_base_url = self.url
        self._script = script
        self._journal = journal
        self._state = state

    @staticmethod
    @contextlib.asynccontextmanager
    async def serve(
        *, host: str = "127.0.0.1", port: int = 0, noise_seed: int | None = None
    ) -> AsyncGenerator[StandIn]:
        """Serve on the running event loop; port 0 takes a free one.

        Raises:
            CannotListen: the address is taken, not ours, or not allowed.
        """
        script, journal = Script(), Journal()
        app = build_app(script, journal, None if noise_seed is None else Noise(noise_seed))
        async with _serving(uvicorn.Config(app, **_UVICORN), host, port) as (bound, state):
            yield StandIn(f"http://{host}:{bound}", script, journal, state)

    def set_rules(self, rules: Sequence[dict[str, Any]]) -> None:
        """Replace the rules, as `POST /_sim/rules` does; raises BadRules."""
        self._script.replace(parse_rules(json.dumps(rules)))

    def requests(self, prefix: str = "") -> list[dict[str, Any]]:
        """The request log, as `GET /_sim/requests` shows it, of user messages that begin so."""
        return self._journal.as_json(prefix)

    def clear_requests(self) -> None:
        """Empty the request log, as `DELETE /_sim/requests` does."""
        self._journal.clear()

    async def idle(self) -> None:
        """Wait until every request that has arrived is completed, broken off or abandoned."""
        while self._state.tasks:
            await asyncio.wait(self._state.tasks)


async def serve(
    host: str = "127.0.0.1",
    port: int = 0,
    noise_seed: int | None = None,
    *,
    ready: Callable[[StandIn], None] | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM, which end it at once, open streams included.

    `ready` is called when the server listens. Needs the main thread.

    Raises:
        CannotListen: the address is taken, not ours, or not allowed.
    """
    async with StandIn.serve(host=host, port=port, noise_seed=noise_seed) as standin:
        with _stop_signals() as stopped:
            if ready is not None:
                ready(standin)
            await stopped.wait()


_UVICORN: dict[str, Any] = {
    "log_config": None,
    "lifespan": "off",
    "ws": "none",
    "proxy_headers": False,
    "timeout_keep_alive": _KEEP_ALIVE_SECONDS,
}


class _Protocol(H11Protocol):
    """Hands the transport to the application: ASGI has no word for "reset this connection"."""

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self.access_log = False
        self.app_state = {"transport": transport}


@contextlib.asynccontextmanager
async def _serving(
    config: uvicorn.Config, host: str, port: int
) -> AsyncGenerator[tuple[int, ServerState]]:
    config.load()
    state = ServerState()
    server = await _listen(lambda: _Protocol(config, state, {}), host, port)
    try:
        yield server.sockets[0].getsockname()[1], state
    finally:
        server.close()
        for connection in list(state.connections):
            connection.transport.abort()
        await asyncio.gather(*state.tasks)


async def _listen(protocol: Callable[[], asyncio.Protocol], host: str, port: int) -> asyncio.Server:
    loop = asyncio.get_running_loop()
    try:
        # Not a socket of our own making: asyncio turns Nagle's algorithm off only where it knows
        # that the protocol is TCP, and tokens would otherwise wait for the client's delayed ACK.
        return await loop.create_server(protocol, host, port, backlog=_BACKLOG)
    except (OSError, OverflowError) as error:
        raise CannotListen(
            f"the stand-in server cannot listen on {host}:{port} ({_reason(error)}); "
            "choose another port or stop what uses it"
        ) from error


def _reason(error: Exception) -> str:
    number = getattr(error, "errno", None)
    return os.strerror(number).lower() if number and number > 0 else str(error)


@contextlib.contextmanager
def _stop_signals() -> Generator[asyncio.Event]:
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    try:
        yield stopped
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)

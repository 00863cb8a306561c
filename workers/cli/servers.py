"""The commands that stay: `forerun up` and `forerun worker`. Ctrl-C is how they end, with 0."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from forerun.workers.assembly import assemble, prepare_effects
from forerun.workers.cli.process import CommandError
from forerun.workers.connection import Server
from forerun.workers.fleet import Fleet
from forerun.workers.local import Layout, Local
from forerun.workers.roles import Role
from forerun.workers.settings import Endpoint, Settings
from forerun.workers.standin_process import READY
from forerun.workers.telemetry.config import Telemetry

FOUND = ("127.0.0.1:7233", "http://127.0.0.1:8233")
"""Where other commands look for the server and its UI by themselves."""

SIGNAL_SECONDS = 0.5
"""A Ctrl-C reaches our children as well, and they may be gone before we have heard of it."""


async def up(settings: Settings, layout: Layout) -> int:
    """Serve everything on this machine until a signal.

    Raises:
        Exception: a part did not start, or ended by itself (see `Local`).
    """
    async with Local.start(settings, layout) as local:
        for line in _models(settings):
            _say(line)
        if (local.address, local.ui_url) != FOUND:
            _say(
                "other terminals need: "
                f"export TEMPORAL_ADDRESS={local.address} FORERUN_UI_URL={local.ui_url}"
            )
        _say(
            f"{READY}  temporal={local.address}  ui={local.ui_url}  standin={local.standin_url}  "
            f"roles={','.join(Role)}"
        )
        return await until_signal(local.ended())


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerOrder:
    """A worker to run."""

    server: Server
    roles: Sequence[Role]
    operations: tuple[str, ...]
    speculative_slots: int


async def worker(settings: Settings, order: WorkerOrder) -> int:
    """Work until a signal, as soon as there is a server.

    Raises:
        SettingsError, RegistrationError: there is nothing sound to work with.
        NoConnection, WorkerStopped: the server refuses, or a worker ended by itself.
    """
    server, parts = order.server, assemble(settings, order.operations)
    telemetry = Telemetry.of(settings)
    if Role.COMMIT in order.roles:
        prepare_effects(settings)
    waiting = f"waiting for Temporal at {server.address} ..."
    client = await server.wait(lambda: _say(waiting), telemetry)
    async with Fleet.start(
        client, parts, order.roles, speculative_slots=order.speculative_slots
    ) as fleet:
        _say(
            f"{READY}  temporal={server.address}  namespace={server.namespace}  "
            f"roles={','.join(order.roles)}"
        )
        return await until_signal(fleet.ended())


def roles_of(text: str) -> list[Role]:
    """The roles in a list with commas, each once.

    Raises:
        CommandError: one is unknown.
    """
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name not in list(Role):
            known = ",".join(Role)
            raise CommandError(f"--roles: {name!r:.80} is no role; name some of {known}", code=2)
    return [Role(name) for name in dict.fromkeys(names)]


async def until_signal(ended: Coroutine[Any, Any, Exception]) -> int:
    """Wait for the signal that ends us; raise what `ended` returns if it comes first."""
    try:
        failure = await ended
        await asyncio.sleep(SIGNAL_SECONDS)
    except asyncio.CancelledError:
        # What the SDK says about servers that went with the same Ctrl-C is of no use.
        logging.getLogger("temporalio").setLevel(logging.CRITICAL)
        return 0
    raise failure


def _models(settings: Settings) -> list[str]:
    return [
        _model("openai", "OPENAI_API_KEY", settings.openai),
        _model("anthropic", "ANTHROPIC_API_KEY", settings.anthropic),
    ]


def _model(provider: str, variable: str, endpoint: Endpoint) -> str:
    if not endpoint.api_key:
        return f"{provider}:* is answered by the stand-in ({variable} is not set)"
    return f"{provider}:* is called for real at {endpoint.base_url or 'its own address'}"


def _say(line: str) -> None:
    print(line, flush=True)

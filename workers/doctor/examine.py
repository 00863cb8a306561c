"""The examination: every part is looked at, whatever the others came to."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from temporalio.client import Client
from temporalio.service import RPCError

from forerun.workers.connection import NobodyThere, NoConnection, Server
from forerun.workers.doctor.attributes import SUBJECT, look_at_attributes
from forerun.workers.doctor.clock import Offset, clock, offset
from forerun.workers.doctor.databases import look_at_databases
from forerun.workers.doctor.finding import Finding, State, fail, warn
from forerun.workers.doctor.models import look_at_models
from forerun.workers.doctor.queues import look_at_queue, look_at_slots
from forerun.workers.doctor.server import look_at_server
from forerun.workers.roles import Role
from forerun.workers.settings import Settings, SettingsError

PATIENCE_SECONDS = 10.0
"""For any one question."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to look at: `models` beside those of the example; `fix` is the permission to change."""

    models: Sequence[str] = ()
    fix: bool = False


async def examine(env: Mapping[str, str], order: Order) -> list[Finding]:
    """What there is to say of the server and the settings in `env`; first what to mend first."""
    return [*await _at_server(env, order), *await asyncio.to_thread(_here, env, order)]


def _here(env: Mapping[str, str], order: Order) -> list[Finding]:
    try:
        settings = Settings.from_env(env)
    except SettingsError as error:
        return [fail("settings", str(error), "", "mend it, or unset it")]
    return [
        *look_at_models(settings, order.models, datetime.now(UTC)),
        *look_at_databases(settings),
    ]


async def _at_server(env: Mapping[str, str], order: Order) -> list[Finding]:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            server = Server.from_env(env)
            client = await server.connect()
    except NobodyThere as error:
        return [fail("server", str(error), "", "forerun up")]
    except NoConnection as error:
        return [fail("server", str(error), "", "temporal config list")]
    except TimeoutError:
        what = f"nothing comes back from the server within {PATIENCE_SECONDS:.0f} s"
        return [fail("server", what, "no run can start", "look at TEMPORAL_ADDRESS")]
    found = await _asked("server", look_at_server(client, server.address))
    if any(finding.state is State.FAIL for finding in found):
        return found
    ahead, told = await _clock(client)
    now = datetime.now(UTC) + timedelta(seconds=ahead.seconds)
    found.append(told)
    found += await _asked(SUBJECT, look_at_attributes(client, fix=order.fix))
    for role in Role:
        found += await _asked(f"role {role}", look_at_queue(client, role, now))
    return found + await _asked("slots", look_at_slots(client))


async def _asked(subject: str, answer: Awaitable[list[Finding]]) -> list[Finding]:
    """The answer of a server, which may be that it does not answer such questions."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await answer
    except (RPCError, TimeoutError) as error:
        return [_untold(subject, error)]


async def _clock(client: Client) -> tuple[Offset, Finding]:
    """The server's clock; where it cannot be told, ours is taken for it."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            found = await offset(client)
    except (RPCError, TimeoutError) as error:
        return Offset(seconds=0.0, within=0.0), _untold("clock", error)
    return found, clock(found)


def _untold(subject: str, error: RPCError | TimeoutError) -> Finding:
    why = error.message if isinstance(error, RPCError) else "no answer in time"
    return warn(
        subject,
        f"the server does not tell: {why}",
        "this cannot be checked from here",
        "ask its operator",
    )

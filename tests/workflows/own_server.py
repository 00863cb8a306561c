"""A server of a test's own, with settings of its own, and workers for it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from forerun.workers.assembly import assemble, prepare_effects
from forerun.workers.fleet import Fleet
from forerun.workers.plugin import forerun_plugin
from forerun.workers.roles import SPECULATIVE_SLOTS, Role
from forerun.workers.settings import Settings
from forerun.workers.standin.serve import StandIn
from tests.harness import Stack


@asynccontextmanager
async def serving(cli: Path, *settings: str) -> AsyncGenerator[Client]:
    """A client of a server of its own, with these dynamic settings."""
    flags = [flag for setting in settings for flag in ("--dynamic-config-value", setting)]
    environment: Any = WorkflowEnvironment  # the types of what it takes are partly unknown
    options = {"dev_server_existing_path": str(cli), "dev_server_extra_args": flags}
    async with await environment.start_local(**options, plugins=[forerun_plugin()]) as env:
        yield env.client


@asynccontextmanager
async def working(
    client: Client,
    folder: Path,
    *,
    staff: Iterable[Role] = Role,
    slots: int = SPECULATIVE_SLOTS,
    **env: str,
) -> AsyncGenerator[Stack]:
    """Workers in this process, one per role, under these variables instead of the usual ones."""
    outbox = folder / "outbox.sqlite3"
    async with StandIn.serve() as standin:
        usual = {
            "OPENAI_API_KEY": "unused",
            "OPENAI_BASE_URL": standin.openai_base_url,
            "FORERUN_OUTBOX_URL": f"sqlite:///{outbox}",
            "FORERUN_DRAFTS_URL": f"sqlite:///{folder}/drafts.sqlite3",
        }
        settings = Settings.from_env(usual | env)
        prepare_effects(settings)
        async with Fleet.start(client, assemble(settings), list(staff), speculative_slots=slots):
            yield Stack(client=client, standin=standin, outbox=outbox)

"""What the benchmarks run on: a dev server, the stand-in in a process of its own, all workers."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import urllib.request
import uuid
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from temporalio.client import Client, WorkflowHandle
from temporalio.runtime import LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter

from forerun.workers.assembly import assemble, prepare_effects
from forerun.workers.devserver import DevServer, find_cli
from forerun.workers.fleet import Fleet
from forerun.workers.plugin import forerun_plugin
from forerun.workers.roles import SPECULATIVE_SLOTS, Role
from forerun.workers.settings import Settings
from forerun.workers.standin_process import StandInProcess

ELASTIC = 200
"""Speculative slots where the lane must not be what is measured."""

_ERRORS = TelemetryFilter(core_level="ERROR", other_level="ERROR")
"""Calls that fail or are cut are what some benchmarks are about: no news."""


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """Addresses, and a client without workers. `quick` asks for few repetitions."""

    client: Client
    address: str
    server_pid: int
    standin_url: str
    settings: Settings
    quick: bool = False

    @staticmethod
    @asynccontextmanager
    async def open(*, quick: bool = False) -> AsyncGenerator[House]:
        """Servers for the length of the block."""
        cli = await asyncio.to_thread(find_cli, os.environ, sys.stderr)
        with tempfile.TemporaryDirectory() as folder:
            async with (
                DevServer.start(cli=cli, ui=False) as server,
                StandInProcess.start() as standin,
            ):
                environment = {
                    "FORERUN_OUTBOX_URL": f"sqlite:///{folder}/outbox.sqlite3",
                    "FORERUN_DRAFTS_URL": f"sqlite:///{folder}/drafts.sqlite3",
                }
                settings = Settings.from_env(environment)
                yield House(
                    client=await Client.connect(server.address, plugins=[forerun_plugin()]),
                    address=server.address,
                    server_pid=server.pid,
                    standin_url=standin.url,
                    settings=settings.with_standin(standin.url, keep_real=False),
                    quick=quick,
                )

    @asynccontextmanager
    async def workers(
        self,
        *,
        push_cancel: bool = True,
        speculative_slots: int = SPECULATIVE_SLOTS,
        model_url: str | None = None,
    ) -> AsyncGenerator[None]:
        """All roles; without push cancel, cuts arrive with the answers to heartbeats.

        `model_url` stands between the workers and the stand-in.
        """
        telemetry = TelemetryConfig(logging=LoggingConfig(filter=_ERRORS))
        # Pushed commands travel with the heartbeats of workers.
        no_push = {} if push_cancel else {"worker_heartbeat_interval": None}
        runtime = Runtime(telemetry=telemetry, **no_push)  # pyright: ignore[reportArgumentType]
        client = await Client.connect(self.address, plugins=[forerun_plugin()], runtime=runtime)
        settings = self.settings.with_standin(model_url or self.standin_url, keep_real=False)
        prepare_effects(settings)
        async with Fleet.start(
            client, assemble(settings), list(Role), speculative_slots=speculative_slots
        ):
            yield

    async def set_rules(self, rules: list[dict[str, Any]]) -> None:
        """Replace the stand-in's rules and empty its request log."""
        await asyncio.to_thread(self._control, "/_sim/rules", "POST", rules)
        await asyncio.to_thread(self._control, "/_sim/requests", "DELETE", None)

    async def requests(self) -> list[dict[str, Any]]:
        """The stand-in's request log."""
        return await asyncio.to_thread(self._control, "/_sim/requests", "GET", None)

    async def start(self, spec: dict[str, Any]) -> WorkflowHandle[Any, Any]:
        """Start a run with all its effects approved beforehand."""
        handle = await self.client.start_workflow(
            "AgentDag", spec, id=f"bench-{uuid.uuid4()}", task_queue="forerun", result_type=dict
        )
        for name, node in spec["nodes"].items():
            if "effect" in node:
                await handle.signal("approve", {"node": name, "by": "benchmark"})
        return handle

    def _control(self, path: str, method: str, body: Any) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.standin_url}{path}", data=data, method=method)
        with urllib.request.urlopen(request) as answer:
            text = answer.read()
        return json.loads(text) if text else None


def read_json(path: Path) -> Any:
    """A JSON file of the repository."""
    return json.loads(path.read_text())

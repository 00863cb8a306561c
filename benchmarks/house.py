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
from temporalio.runtime import Runtime, TelemetryConfig

from forerun.workers.assembly import assemble, prepare_effects
from forerun.workers.devserver import DevServer, find_cli
from forerun.workers.fleet import Fleet
from forerun.workers.plugin import forerun_plugin
from forerun.workers.roles import Role
from forerun.workers.settings import Settings
from forerun.workers.standin_process import StandInProcess


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """Addresses, and a client without workers."""

    client: Client
    address: str
    standin_url: str
    settings: Settings

    @staticmethod
    @asynccontextmanager
    async def open() -> AsyncGenerator[House]:
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
                    standin_url=standin.url,
                    settings=settings.with_standin(standin.url, keep_real=False),
                )

    @asynccontextmanager
    async def workers(self, *, push_cancel: bool = True) -> AsyncGenerator[None]:
        """All roles; without push cancel, cuts arrive with the answers to heartbeats."""
        runtime = Runtime(
            telemetry=TelemetryConfig(),
            **({} if push_cancel else {"worker_heartbeat_interval": None}),
        )
        client = await Client.connect(self.address, plugins=[forerun_plugin()], runtime=runtime)
        prepare_effects(self.settings)
        async with Fleet.start(client, assemble(self.settings), list(Role)):
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

"""A server, a stand-in and one worker process per role: each of them but the stand-in can be killed.

What is killed comes back at once, the server on the same port and database. Processes are real
(`forerun worker --roles ...`, see `hireling`), and so is `kill -9`; one that ends without having
been killed is a finding, also if it ends before it is ready.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from pathlib import Path
from typing import Any

from temporalio.client import Client
from temporalio.runtime import Runtime, TelemetryConfig

from forerun.workers.devserver import DevServer, DevServerError
from forerun.workers.devserver.ports import free_port
from forerun.workers.plugin import forerun_plugin
from forerun.workers.roles import Role
from forerun.workers.standin.serve import StandIn
from tests.chaos.hireling import Hireling
from tests.chaos.patience import patiently
from tests.workers.commands import INHERITED

ROOT = Path(__file__).parents[2]
OPERATIONS = ("tests.lossless.tollgate", "tests.chaos.operations")
SPECULATIVE_SLOTS = 32
LAST_WORDS = 600


class House:
    """Where runs live and processes die; get one from `House.open`."""

    def __init__(self, cli: Path, folder: Path, standin: StandIn) -> None:
        self.standin = standin
        self.deaths: list[str] = []
        self._cli = cli
        self._folder = folder
        self._port = free_port()
        self._server: DevServer | None = None
        self._workers: dict[Role, Hireling] = {}
        self._client: Client | None = None

    @staticmethod
    @asynccontextmanager
    async def open(cli: Path, folder: Path) -> AsyncGenerator[House]:
        """Run everything for the length of the block; what is kept is kept in `folder`."""
        async with AsyncExitStack() as exits:
            standin = await exits.enter_async_context(StandIn.serve())
            house = House(cli, folder, standin)
            posts = [house._serve(), *(house._staff(role) for role in Role)]
            tasks = [asyncio.create_task(post) for post in posts]
            exits.push_async_callback(house._close, tasks)
            await house._until_ready(tasks)
            yield house

    @property
    def client(self) -> Client:
        assert self._client is not None
        return self._client

    def kill_worker(self, role: Role) -> bool:
        """Kill the worker of a role, if it is up."""
        worker = self._workers.pop(role, None)
        if worker is None:
            return False
        worker.kill()
        return True

    def kill_server(self) -> bool:
        """Kill the server, if it is up."""
        server, self._server = self._server, None
        if server is None:
            return False
        os.kill(server.pid, signal.SIGKILL)
        return True

    def rows(self, table: str, workflow_id: str | None = None) -> list[dict[str, Any]]:
        """The rows of the outbox or the drafts, all or those of a run, as others read them."""
        path = self._folder / f"{table}.sqlite3"
        if not path.exists():
            return []
        with closing(sqlite3.connect(path, timeout=30)) as connection:
            connection.row_factory = sqlite3.Row
            asked = f"select * from {table} where workflow_id = ? or ? is null"
            try:
                return [dict(row) for row in connection.execute(asked, (workflow_id,) * 2)]
            except sqlite3.OperationalError as error:
                if "no such table" in str(error):  # the first worker to write makes it right now
                    return []
                raise

    def leave_staged(self, *, workflow_id: str, intent: str, staged_at: str) -> None:
        """Write a staged draft that nobody knows of."""
        row = (f"{workflow_id}/-/{intent}", "0" * 64, "staged", workflow_id, "-", intent, staged_at)
        with closing(sqlite3.connect(self._folder / "drafts.sqlite3")) as connection, connection:
            connection.execute(
                "insert into drafts (idempotency_key, digest, state, workflow_id, first_run_id,"
                " intent, staged_at) values (?, ?, ?, ?, ?, ?, ?)",
                row,
            )

    async def _until_ready(self, tasks: Sequence[asyncio.Task[None]]) -> None:
        while len(self._workers) < len(Role) or self._server is None:
            for task in tasks:
                if task.done():
                    task.result()
            if self.deaths:
                raise RuntimeError(self.deaths[0])
            await asyncio.sleep(0.05)
        address = f"127.0.0.1:{self._port}"
        # Its core would print each call that finds no server, and there will be many.
        silent = Runtime(telemetry=TelemetryConfig(logging=None))
        self._client = await patiently(
            lambda: Client.connect(address, plugins=[forerun_plugin()], runtime=silent)
        )

    async def _close(self, tasks: Sequence[asyncio.Task[None]]) -> None:
        self.kill_server()  # nobody wants what it holds: it need not end in order
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self) -> None:
        """Keep a server running, always the same one."""
        database = self._folder / "temporal.sqlite3"
        while True:
            try:
                async with DevServer.start(
                    cli=self._cli, port=self._port, db=database, ui=False
                ) as server:
                    self._server = server
                    ended = await server.ended()
                    if self._server is server:
                        raise ended
            except DevServerError as error:
                self._server = None
                self.deaths.append(f"server: {error}")

    async def _staff(self, role: Role) -> None:
        """Keep a worker running."""
        while True:
            worker = await Hireling.hire(_arguments(role), self._environment(), self._log(role))
            try:
                ready = await worker.ready()
                if ready:
                    self._workers[role] = worker
                code = await worker.ended()
                if not ready or self._workers.get(role) is worker:
                    self._workers.pop(role, None)
                    self.deaths.append(f"{role} worker: exit code {code}: {self._last(role)}")
            finally:
                worker.kill()
                await worker.ended()

    def _environment(self) -> dict[str, str]:
        inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
        path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
        return {
            **inherited,
            "PYTHONPATH": path,
            "TEMPORAL_ADDRESS": f"127.0.0.1:{self._port}",
            "OPENAI_API_KEY": "unused",
            "OPENAI_BASE_URL": self.standin.openai_base_url,
            "ANTHROPIC_API_KEY": "unused",
            "ANTHROPIC_BASE_URL": self.standin.anthropic_base_url,
            "FORERUN_OUTBOX_URL": f"sqlite:///{self._folder}/outbox.sqlite3",
            "FORERUN_DRAFTS_URL": f"sqlite:///{self._folder}/drafts.sqlite3",
        }

    def _log(self, role: Role) -> Path:
        return self._folder / f"{role}.log"

    def _last(self, role: Role) -> str:
        return self._log(role).read_text(errors="replace")[-LAST_WORDS:].strip()


def _arguments(role: Role) -> list[str]:
    slots = ["--speculative-slots", str(SPECULATIVE_SLOTS)]
    modules = [part for module in OPERATIONS for part in ("--operations", module)]
    return ["worker", "--roles", role, *slots, *modules]

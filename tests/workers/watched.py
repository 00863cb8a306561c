"""A whole forerun that is watched: metrics scraped, spans collected over HTTP, logs read."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import threading
import urllib.request
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager, redirect_stderr
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import structlog
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from temporalio.client import Client
from typing_extensions import override

from forerun.workers.assembly import assemble, prepare_effects
from forerun.workers.connection import Server
from forerun.workers.devserver import DevServer
from forerun.workers.devserver.ports import HOST, free_port
from forerun.workers.fleet import Fleet
from forerun.workers.log_config import QUIETER, configure
from forerun.workers.roles import Role
from forerun.workers.settings import Settings
from forerun.workers.standin.serve import StandIn
from forerun.workers.telemetry.config import Telemetry

SECRET = "sk-very-secret"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One line of a scrape."""

    name: str
    labels: dict[str, str]
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A span as a collector gets it."""

    name: str
    trace: str
    id: str
    parent: str
    failed: bool
    attributes: dict[str, Any]
    events: list[tuple[str, dict[str, Any]]]


@dataclass(slots=True)
class Collector:
    """What was sent to a collector, as bytes and as spans."""

    url: str
    bodies: list[bytes] = field(default_factory=list[bytes])

    @property
    def spans(self) -> list[Span]:
        """All spans so far."""
        found: list[Span] = []
        for body in self.bodies:
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                for scope in resource.scope_spans:
                    found += [_span(span) for span in scope.spans]
        return found

    @classmethod
    @contextmanager
    def listening(cls) -> Generator[Collector]:
        """A collector for OTLP over HTTP, as long as the block lasts."""
        collector = cls("")

        class Take(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                collector.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                answer = ExportTraceServiceResponse().SerializeToString()
                self.send_response(200)
                self.send_header("Content-Type", "application/x-protobuf")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            @override
            def log_message(self, format: str, *args: Any) -> None:
                pass

        with ThreadingHTTPServer((HOST, 0), Take) as server:
            collector.url = f"http://{HOST}:{server.server_port}/v1/traces"
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            try:
                yield collector
            finally:
                server.shutdown()
                thread.join()


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A running forerun and those who watch it."""

    client: Client
    standin: StandIn
    telemetry: Telemetry
    collector: Collector
    log: io.StringIO

    @classmethod
    @asynccontextmanager
    async def start(cls, cli: Path, folder: Path) -> AsyncGenerator[Watched]:
        """All roles on a server of their own: on another's, other workers would take the tasks."""
        with Collector.listening() as collector, logged("info") as log:
            async with DevServer.start(cli=cli, ui=False) as server, StandIn.serve() as standin:
                settings = Settings.from_env(
                    {
                        "OPENAI_API_KEY": SECRET,
                        "OPENAI_BASE_URL": standin.openai_base_url,
                        "ANTHROPIC_API_KEY": SECRET,
                        "ANTHROPIC_BASE_URL": standin.anthropic_base_url,
                        "FORERUN_EMBEDDINGS": "openai:text-embedding-3-small",
                        "FORERUN_JUDGE": "openai:sim-small",
                        "XDG_DATA_HOME": str(folder),
                        "FORERUN_METRICS": f"{HOST}:{free_port()}",
                        "FORERUN_TRACES": collector.url,
                    }
                )
                prepare_effects(settings)
                telemetry = Telemetry.of(settings)
                client = await Server.at(server.address).connect(telemetry)
                parts = assemble(settings, ["tests.workers.telling_operations"])
                async with Fleet.start(client, parts, list(Role)):
                    yield cls(
                        client=client,
                        standin=standin,
                        telemetry=telemetry,
                        collector=collector,
                        log=log,
                    )

    async def run(self, spec: dict[str, Any], id: str) -> Any:
        """The handle of a run that is over, with everything approved that it asked for."""
        handle: Any = await self.client.start_workflow(
            "AgentDag", spec, id=id, task_queue="forerun", result_type=dict
        )
        for name, node in spec["nodes"].items():
            if "effect" in node:
                await handle.signal("approve", {"node": name, "by": "test"})
        await handle.result()
        return handle

    async def scrape(self) -> str:
        """What Prometheus gets."""
        url = f"http://{self.telemetry.metrics}/metrics"
        return await asyncio.to_thread(_get, url)

    async def samples(self) -> list[Sample]:
        """All lines of a scrape that are ours."""
        lines = (await self.scrape()).splitlines()
        return [_sample(line) for line in lines if line.startswith("forerun_")]

    async def spans(self) -> list[Span]:
        """All spans so far."""
        assert self.telemetry.traces is not None
        await self.telemetry.traces.flush()
        return self.collector.spans

    def logged(self) -> list[dict[str, Any]]:
        """All log lines so far."""
        return [json.loads(line) for line in self.log.getvalue().splitlines()]


@contextmanager
def logged(lowest: str) -> Generator[io.StringIO]:
    """What forerun logs while the block lasts, as JSON; afterwards it is as it was."""
    root, levels = logging.getLogger(), {name: logging.getLogger(name).level for name in QUIETER}
    handlers, level = root.handlers[:], root.level
    with redirect_stderr(io.StringIO()) as log:
        configure("json", lowest)
    try:
        yield log
    finally:
        root.handlers[:], root.level = handlers, level
        for name, old in levels.items():
            logging.getLogger(name).setLevel(old)
        structlog.reset_defaults()


def _get(url: str) -> str:
    with urllib.request.urlopen(url) as answer:
        return answer.read().decode()


def _sample(line: str) -> Sample:
    named, value = line.rsplit(" ", 1)
    name, _, rest = named.partition("{")
    pairs = (pair.partition("=") for pair in rest.rstrip("}").split(",") if pair)
    labels = {label: quoted.strip('"') for label, _, quoted in pairs}
    return Sample(name=name, labels=labels, value=float(value))


def _span(span: Any) -> Span:
    return Span(
        name=span.name,
        trace=span.trace_id.hex(),
        id=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        failed=span.status.code == 2,
        attributes=_attributes(span.attributes),
        events=[(event.name, _attributes(event.attributes)) for event in span.events],
    )


def _attributes(pairs: Any) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(item) for item in value.array_value.values]
    return getattr(value, kind)

"""One `forerun up` for the tests of the command line, as its users start it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client

from forerun.workers.connection import Server
from forerun.workers.devserver.ports import free_port
from tests.workers.commands import Place, address

RULES = [
    {"match": "^Which team", "reply": "billing", "ttft_ms": 700},
    {"match": "^Slowly", "reply": "billing", "ttft_ms": 3000},
    {"match": "^Answer", "reply": "Hello Maria", "ttft_ms": 100},
    {"match": "^Ramble", "reply": "word " * 200, "tokens_per_second": 10},
    {"match": "^Fail", "fault": "500"},
]


@dataclass(frozen=True, slots=True)
class Up:
    """A running `forerun up`, and a place to run commands against it."""

    run: Place
    temporal: str
    standin: str

    def spec(self, name: str, nodes: dict[str, Any], **rest: Any) -> str:
        """The path of a file with this spec."""
        spec = {"version": 1, "workload": name, "nodes": nodes, **rest}
        path = self.run.folder / f"{name}.json"
        path.write_text(json.dumps(spec))
        return str(path)

    async def client(self) -> Client:
        """A client of its Temporal."""
        return await Server.at(self.temporal).connect()


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory, temporal_cli: Path) -> Place:
    """A folder for commands; the Temporal CLI is there, or its download would be timed as well."""
    return Place(tmp_path_factory.mktemp("place"))


@pytest.fixture(scope="session")
def up(place: Place) -> Iterator[Up]:
    """Everything `forerun up` starts, under `RULES`."""
    rules = place.folder / "rules.json"
    rules.write_text(json.dumps(RULES))
    ports = [str(free_port()) for _ in range(3)]
    flags = ["--port", ports[0], "--ui-port", ports[1], "--standin-port", ports[2]]
    with place.started("up", *flags, "--rules", str(rules)) as live:
        ready = live.line("ready")
        temporal = address(ready, "temporal")
        here = Place(place.folder, {"TEMPORAL_ADDRESS": temporal})
        yield Up(here, temporal, address(ready, "standin"))

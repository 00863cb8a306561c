"""A whole forerun in one process, for tests: real server, real stand-in, real SQL, real workers."""

from __future__ import annotations

import base64
import json
import uuid
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlalchemy
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHandle, WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter

from forerun.speculation.quantities import number
from forerun.speculation.record import GENESIS, seal_of
from forerun.workers.standin.serve import StandIn

Event = Any

PATIENCE = timedelta(minutes=2)
"""A run whose workflow task fails again and again never ends: the test is to fail, not to hang."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """What a test talks to."""

    client: Client
    standin: StandIn
    outbox: Path

    async def start(
        self, spec: object, *, id: str | None = None, task_queue: str = "forerun"
    ) -> Any:
        """Start a run the way the Temporal CLI does; its handle.

        Untyped: the SDK's overloads for messages by name leave their types unknown.
        """
        return await self.client.start_workflow(
            "AgentDag",
            spec,
            id=id or f"t-{uuid.uuid4()}",
            task_queue=task_queue,
            result_type=dict,
            execution_timeout=PATIENCE,
        )

    def rows(self, workflow_id: str) -> list[dict[str, Any]]:
        """The committed effects of a run, as another program reads them."""
        return _rows(self.outbox, "outbox", workflow_id)

    def drafts(self, workflow_id: str) -> list[dict[str, Any]]:
        """The drafts of a run, whatever their state."""
        return _rows(self.outbox.with_name("drafts.sqlite3"), "drafts", workflow_id)


@dataclass(frozen=True, slots=True)
class Story:
    """A history, read the way an auditor would."""

    history: WorkflowHistory

    @classmethod
    async def of(cls, handle: WorkflowHandle[Any, Any]) -> Story:
        """The story so far."""
        return cls(await handle.fetch_history())

    @property
    def markers(self) -> list[tuple[int, dict[str, Any]]]:
        """Event id and content of every forerun marker."""
        found: list[tuple[int, dict[str, Any]]] = []
        for event in self.history.events:
            if event.event_type == EventType.EVENT_TYPE_MARKER_RECORDED:
                payload = event.marker_recorded_event_attributes.details["result"].payloads[0]
                found.append((event.event_id, json.loads(payload.data)))
        return found

    @property
    def records(self) -> list[dict[str, Any]]:
        """All records, in order."""
        return [record for _, marker in self.markers for record in marker["records"]]

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        """The records of one kind."""
        return [record for record in self.records if record["kind"] == kind]

    def outcomes(self) -> dict[str, str]:
        """What became of each speculation."""
        return {o["speculation"]: o["outcome"] for o in self.of_kind("outcome")}

    def scheduled(self, activity_id: str) -> Event | None:
        """The event that scheduled an activity."""
        for event in self.history.events:
            attributes = event.activity_task_scheduled_event_attributes
            scheduled = event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
            if scheduled and attributes.activity_id == activity_id:
                return event
        return None

    def ended(self, activity_id: str) -> Event | None:
        """The event that ended an activity, whichever way."""
        scheduled = self.scheduled(activity_id)
        for event in self.history.events:
            for name in ("completed", "failed", "timed_out", "canceled"):
                attributes = getattr(event, f"activity_task_{name}_event_attributes")
                if scheduled and attributes.scheduled_event_id == scheduled.event_id:
                    return event
        return None

    def activity_ids(self) -> list[str]:
        """The ids of all scheduled activities, in order."""
        return [
            event.activity_task_scheduled_event_attributes.activity_id
            for event in self.history.events
            if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
        ]

    def ahead(self, node: str) -> list[str]:
        """The ids of the speculations on a node."""
        return [id for id in self.activity_ids() if id.startswith(f"ahead:{node}:")]

    def check(self) -> None:
        """The invariants that hold for every run, whatever happened in it."""
        assert self.records
        assert [r["previous"] for r in self.records] == [
            GENESIS,
            *(r["sha256"] for r in self.records[:-1]),
        ]
        assert all(seal_of(record) == record["sha256"] for record in self.records)
        assert all(list(marker) == ["records"] for _, marker in self.markers)
        outcomes = self.outcomes()
        assert len(self.of_kind("outcome")) == len(outcomes)
        launched = [id for id in self.activity_ids() if id.startswith("ahead:")]
        # What was cut in the task that launched it never reached the server.
        unsent = [id for id in outcomes if id not in launched]
        assert set(launched) <= set(outcomes)
        assert all(outcomes[id] == "cut" for id in unsent)
        self._check_decided_before_launched()

    def _check_decided_before_launched(self) -> None:
        decided = [
            (event_id, call["stake"]["node"])
            for event_id, marker in self.markers
            for record in marker["records"]
            if record["kind"] == "decision" and record["verdict"] == "launch"
            for call in record["calls"]
            if call["stake"]["fingerprint"]
        ]
        for id in self.activity_ids():
            if id.startswith("ahead:"):
                event = self.scheduled(id)
                assert event is not None
                node = id.split(":")[1]
                assert any(at < event.event_id and name == node for at, name in decided)


def _rows(database: Path, table: str, workflow_id: str) -> list[dict[str, Any]]:
    if not database.exists():
        return []
    engine = sqlalchemy.create_engine(f"sqlite:///{database}")
    with engine.connect() as connection:
        found: list[dict[str, Any]] = []
        # Another run may be making the table right now.
        if sqlalchemy.inspect(connection).has_table(table):
            query = sqlalchemy.text(f"select * from {table} where workflow_id = :id")
            found = [dict(row) for row in connection.execute(query, {"id": workflow_id}).mappings()]
    engine.dispose()
    return found


def check_ledger(ledger: dict[str, Any]) -> None:
    """Spent is the sum of its parts, to the last digit."""
    parts = ("authoritative_usd", "promoted_usd", "wasted_usd", "guess_usd")
    assert number(ledger["spent_usd"]) == sum(number(ledger[part]) for part in parts)


def payload(data: str) -> Any:
    """The JSON behind a base64 payload of an exported history."""
    return json.loads(base64.b64decode(data))


__all__ = ["Stack", "Story", "check_ledger", "payload", "pydantic_data_converter"]

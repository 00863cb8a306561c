"""Histories as they come: from the Temporal CLI, the UI, the SDK, or a server.

All of them are JSON of the same events and differ in spellings, which the SDK mends, and in what is
around the events. A file that holds no history is the user's mistake, and said in one line.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

from google.protobuf.json_format import ParseError
from temporalio.client import WorkflowHistory

HOW_TO = "save one with `temporal workflow show --workflow-id ID --output json > FILE.json`"


class NotAHistory(ValueError):
    """The file holds no workflow history: one line, with the fix."""


def read_file(path: Path) -> WorkflowHistory:
    """The history in a file; a run that does not say its own id is named after the file.

    Raises:
        NotAHistory: it cannot be read, or holds something else.
    """
    try:
        return read(path.read_text(encoding="utf-8"), path.stem)
    except OSError as error:
        raise NotAHistory(f"{path}: {error.strerror or error}") from error
    except ValueError as error:
        raise NotAHistory(f"{path} is no workflow history ({error}): {HOW_TO}") from error


def read(text: str, name: str) -> WorkflowHistory:
    """The history that is this JSON text, of the run `name` unless it says otherwise.

    Raises:
        ValueError: it is none; says why in a few words.
    """
    events = _events(_json(text))
    try:
        history = WorkflowHistory.from_json(name, {"events": events})
    except (ParseError, AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"its events do not parse: {_brief(error)}") from error
    if not history.events:
        raise ValueError("it has no events")
    first = history.events[0]
    if not first.HasField("workflow_execution_started_event_attributes"):
        raise ValueError("its first event does not start a workflow")
    started = first.workflow_execution_started_event_attributes
    return WorkflowHistory(started.workflow_id or name, history.events)


def run_id_of(history: WorkflowHistory) -> str:
    """The run that a history is of. A reset copies the first event, and names the new run later."""
    run_id = history.run_id
    for event in history.events:
        run_id = event.workflow_task_failed_event_attributes.new_run_id or run_id
    return run_id


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not JSON: {_brief(error)}") from error


def _events(found: Any) -> list[Any]:
    """The events, in an object of their own or in the server's answer, or bare."""
    if isinstance(found, dict):
        fields = cast("dict[str, Any]", found)
        found = fields.get("events", fields.get("history"))
        if isinstance(found, dict):
            found = cast("dict[str, Any]", found).get("events")
    if not isinstance(found, list):
        raise ValueError("there is no list of events in it")
    return cast("list[Any]", found)


def _brief(error: Exception) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__

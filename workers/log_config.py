"""Logging: structlog on top of the standard library's, so that every record looks the same.

Workflows and activities log through Temporal's adapters, which are stdlib loggers; so are the
operations of users, mostly. Whoever logs, a line from within a run has `workflow_id`, `run_id` and,
where there is one, `node`. Logs go to stderr: stdout belongs to the results of commands.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from typing import Any, cast

import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.typing import EventDict, Processor, WrappedLogger
from temporalio import activity, workflow

from forerun.workers.telemetry.place import node_of

INDISCREET = ("openai", "anthropic", "httpx2", "httpcore2")
"""These tell at DEBUG what was sent and what came, prompts and headers too: never here."""
QUIETER = dict.fromkeys((*INDISCREET, "temporalio", "asyncio"), logging.WARNING)
"""These tell at INFO what nobody but their authors wants to know."""

SHOWN = {
    "temporal_workflow": {"workflow_id": "workflow_id", "run_id": "run_id"},
    "temporal_activity": {
        "workflow_id": "workflow_id",
        "workflow_run_id": "run_id",
        "activity_id": "activity_id",
        "attempt": "attempt",
    },
}
"""Of what Temporal knows about the place a record comes from, by the names that it has here."""


def configure(form: str, level: str) -> None:
    """Log at `level` and above in the form `console` or `json`."""
    lowest = logging.getLevelNamesMapping()[level.upper()]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=[
                structlog.contextvars.merge_contextvars,
                structlog.stdlib.ExtraAdder(),
                *_ORIGIN,
            ],
            processors=[
                _in_one_line,
                ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _renderer(form),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=lowest, force=True)
    for name, quiet in QUIETER.items():
        open_ = level == "debug" and name not in INDISCREET
        logging.getLogger(name).setLevel(lowest if open_ else max(lowest, quiet))
    # These two put the same facts into every message that the extra fields hold already.
    workflow.logger.workflow_info_on_message = False
    activity.logger.activity_info_on_message = False
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.contextvars.merge_contextvars,
            *_ORIGIN,
            ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def _flatten(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Put what Temporal knows about the place beside the other fields, by our names."""
    for name, fields in SHOWN.items():
        place = event.pop(name, None)
        if isinstance(place, Mapping):
            known = cast("Mapping[str, Any]", place)
            event.update({to: known[of] for of, to in fields.items() if known.get(of)})
    if "node" not in event and (node := node_of(str(event.get("activity_id", 0)))):
        event["node"] = node
    event.pop("temporal_log", None)  # the message of a record of the SDK's core has it all
    return event


def _in_one_line(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """A failed attempt is an event of the day: Temporal retries it and keeps the stack trace."""
    record = event.get("_record")
    if isinstance(record, logging.LogRecord) and record.name.startswith("temporalio.activity"):
        match event.pop("exc_info", None):
            case (_, BaseException() as error, _):
                event["error"] = f"{type(error).__name__}: {error}"
            case _:
                pass
    return event


_ORIGIN: list[Processor] = [
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    _flatten,
]


def _renderer(form: str) -> Processor:
    if form == "json":
        return structlog.processors.JSONRenderer(ensure_ascii=False)
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())

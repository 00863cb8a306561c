"""Every record is one line in one form, whoever wrote it, and workflows are no exception."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from temporalio import activity, workflow

from forerun.workers.log_config import QUIETER, configure

PLACE = {"workflow_id": "w1", "run_id": "r1", "attempt": 1, "namespace": "default"}


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Logging as the test session has it."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in QUIETER}
    yield
    root.handlers[:], root.level = handlers, level
    for name, old in levels.items():
        logging.getLogger(name).setLevel(old)
    structlog.reset_defaults()


def said(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_fields_are_fields_whoever_logs(capsys: pytest.CaptureFixture[str]) -> None:
    """Of the standard library's loggers, of structlog's, and of workflows."""
    configure("json", "info")

    logging.getLogger("ours").info("bet.placed", extra={"usd": "0.1"})
    structlog.get_logger("theirs").info("bet.placed", usd="0.1")
    base = workflow.logger.base_logger
    base.warning("bet.placed", extra={"usd": "0.1", "temporal_workflow": PLACE})

    entries = said(capsys)
    assert [entry["event"] for entry in entries] == ["bet.placed"] * 3
    assert [entry["usd"] for entry in entries] == ["0.1"] * 3
    assert entries[2]["workflow_id"] == "w1"
    assert "temporal_workflow" not in entries[2]


def test_a_failed_attempt_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Temporal keeps its stack trace; any other exception is shown in full."""
    configure("console", "info")

    failure = ValueError("no such topic")

    activity.logger.base_logger.warning("Completing activity as failed", exc_info=failure)
    failed = capsys.readouterr().err
    logging.getLogger("ours").error("surprise", exc_info=failure)
    shown = capsys.readouterr().err

    assert failed.count("\n") == 1
    assert "ValueError: no such topic" in failed
    assert shown.count("\n") > 1


def test_the_sdk_is_quieter_than_we_are(capsys: pytest.CaptureFixture[str]) -> None:
    """Its INFO is noise, its warnings are not."""
    configure("json", "info")

    logging.getLogger("temporalio.worker").info("Beginning worker shutdown")
    logging.getLogger("temporalio.worker").warning("Poll failure")
    logging.getLogger("ours").debug("detail")

    assert [entry["event"] for entry in said(capsys)] == ["Poll failure"]


def test_no_variable_of_a_traceback_is_logged(capsys: pytest.CaptureFixture[str]) -> None:
    """They may hold keys."""
    configure("json", "info")
    api_key = "sk-very-" + "secret"
    try:
        int(api_key[:0])
    except ValueError:
        logging.getLogger("ours").exception("surprise")

    assert "sk-very-secret" not in capsys.readouterr().err


@pytest.mark.parametrize("name", ["openai._base_client", "anthropic", "httpx2", "httpcore2.http11"])
def test_clients_never_tell_what_they_send(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Their DEBUG is requests and answers: prompts, headers, and what a server echoes of them."""
    configure("json", "debug")

    for level in (logging.DEBUG, logging.INFO):
        logging.getLogger(name).log(level, "Bearer sk-very-secret")
    logging.getLogger("ours").debug("detail")

    assert [entry["event"] for entry in said(capsys)] == ["detail"]

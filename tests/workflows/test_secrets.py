"""What is in the environment stays there: not in a history, a failure, a log or an answer."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from forerun.workers.devserver.ports import HOST, free_port
from tests.activities.test_model_refusals import always
from tests.harness import Stack
from tests.workers.watched import logged
from tests.workflows.auto_reply import Handle
from tests.workflows.own_server import serving, working

KEY, PASSWORD, PATH = "sk-very-secret-key", "database-hunter2", "url-hunter2"

BODY = f'{{"error": {{"message": "Incorrect API key provided: {KEY}", "code": "{KEY}"}}}}'.encode()
RUDE = (
    b"HTTP/1.1 401 No\r\ncontent-type: application/json\r\n"
    + f"content-length: {len(BODY)}\r\nx-echo: Bearer {KEY}\r\nconnection: close\r\n\r\n".encode()
    + BODY
)
NODES: dict[str, Any] = {
    "model": {"model": "openai:sim-mid", "prompt": "p", "retries": 0},
    "fetch": {"tool": "http.get", "args": {"url": "{{ input.url }}"}, "retries": 0},
    "send": {"effect": "outbox.put", "args": {"to": "a", "body": "b"}},
    "note": {"effect": "drafts.put", "args": {"title": "a", "body": "b"}},
}


async def until_attempted(handle: Handle, activity: str) -> str:
    """What the server knows of a commit that has failed once and is tried again."""
    while True:
        described = await handle.describe()
        for pending in described.raw_description.pending_activities:
            if pending.activity_id == activity and pending.HasField("last_failure"):
                return str(pending)
        await asyncio.sleep(0.05)


async def hard_day(stack: Stack, url: str) -> tuple[list[str], str]:
    """A run in which everything fails: what failures and queries tell, and its history."""
    spec = {"version": 1, "nodes": NODES, "input": {"url": url}}
    handle: Handle = await stack.start(spec)
    for intent in ("send", "note"):
        await handle.signal("approve", {"node": intent, "by": "ann"})
    told = [await until_attempted(handle, f"commit:{it}") for it in ("send", "note")]
    told += [str(await handle.query(name)) for name in ("ledger", "pending", "decisions")]
    await handle.terminate()  # commits are tried for minutes
    events = (await handle.fetch_history()).events
    failures = [str(e) for e in events if e.HasField("activity_task_failed_event_attributes")]
    assert len(failures) == 2
    return [*told, *failures], str(events)


async def test_no_secret_of_the_environment_is_told_to_anybody(
    temporal_cli: Path, tmp_path: Path
) -> None:
    """A provider echoes the key, databases are away, and so is a host with a secret in its URL."""
    away = f"{HOST}:{free_port()}"
    database = f"postgresql://me:{PASSWORD}@{away}/effects"
    async with always(RUDE) as rude, serving(temporal_cli) as client:
        env: dict[str, Any] = {
            "OPENAI_API_KEY": KEY,
            "OPENAI_BASE_URL": f"{rude}/v1",
            "ANTHROPIC_API_KEY": KEY,
            "FORERUN_OUTBOX_URL": database,
            "FORERUN_DRAFTS_URL": database,
            "FORERUN_HTTP_ALLOW": away,
        }
        with logged("debug") as log:
            async with working(client, tmp_path, **env) as stack:
                told, history = await hard_day(stack, f"http://{away}/{PATH}?token={PATH}")

    assert "openai:sim-mid refused the API key" in log.getvalue()
    for secret in (KEY, PASSWORD):
        assert not [text for text in (*told, log.getvalue(), history) if secret in text]
    # The URL is an argument, which a history holds: it is no part of any failure.
    assert not [text for text in told if PATH in text]

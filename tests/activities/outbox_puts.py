"""One message, and how it is put into an outbox: by its commit, as the activity does it."""

from __future__ import annotations

from typing import Any

from forerun.activities.effects.outbox import Outbox
from forerun.activities.registration import Commit
from forerun.activities.registry import Registry
from forerun.speculation.canonical import digest

MESSAGE: dict[str, Any] = {"to": "ann@example.org", "body": {"text": "hello", "n": 1}}


def commit_of(arguments: dict[str, Any], key: str = "flow/run/send") -> Commit:
    return Commit(
        idempotency_key=key,
        digest=digest(arguments),
        intent="send",
        workflow_id="flow",
        run_id="run-2",
        approved_by="ann",
    )


async def put(outbox: Outbox, arguments: dict[str, Any], key: str = "flow/run/send") -> Any:
    effect = Registry.of(outbox).effect("outbox.put", "1")
    return await effect.run(effect.parse(arguments), commit_of(arguments, key))

"""`http.post`: sends JSON to listed hosts, with the commit's idempotency key in `Idempotency-Key`.

The law: after a status of 2xx it has happened, and nothing that comes after makes it happen again.
Before it nobody knows: an attempt whose answer was lost is repeated with the same key and the same
bytes. So it happens exactly once where the server remembers its keys, and at least once elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

import httpx2
from pydantic import JsonValue

from forerun.activities.http_hosts import Answer, ListedHosts, UnreadableBody
from forerun.activities.registration import Arguments, Commit, operation
from forerun.speculation.canonical import canonical_json
from forerun.speculation.effect_class import EffectClass

MAX_RECEIPT_BYTES = 16 * 1024
RECEIPT_SECONDS = 5.0


class HttpPostBody(Arguments):
    """Where to send what."""

    url: str
    body: JsonValue


class HttpPost:
    """`http.post` to the hosts in `allowed`.

    Raises:
        ValueError: an entry that is no host (`ListedHosts`).
    """

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        self._hosts = ListedHosts("http.post", allowed)

    @operation("http.post", version="1", effect=EffectClass.IRREVERSIBLE, timeout_seconds=50)
    async def post(self, arguments: HttpPostBody, commit: Commit) -> dict[str, Any]:
        """`{"status", "content_type", "body"}` of the answer.

        The body is parsed where it is JSON, else it is text; null if it was cut off, came late, was
        longer than 16 KB, or was not what its headers say.

        Raises:
            ApplicationError: a URL that is not allowed, or a status other than 2xx; retried only
                for a status that may pass. Connection errors are retried.
        """
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": header_of(commit.idempotency_key),
        }
        content = canonical_json(arguments.body).encode()
        async with self._hosts.answer(
            "POST", arguments.url, headers=headers, content=content
        ) as answer:
            body = await _read(answer)
        return {"status": answer.status, "content_type": answer.content_type, "body": body}


def header_of(idempotency_key: str) -> str:
    """The key in characters that a header may hold; different keys stay different."""
    return quote(idempotency_key, safe="/[]:@")


async def _read(answer: Answer) -> Any:
    try:
        return await answer.body(most_bytes=MAX_RECEIPT_BYTES, seconds=RECEIPT_SECONDS)
    except (UnreadableBody, TimeoutError, httpx2.HTTPError):
        return None

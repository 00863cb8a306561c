"""`http.get`: reads from hosts that the worker's owner has listed, and from nowhere else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from forerun.activities.http_hosts import ListedHosts, UnreadableBody
from forerun.activities.registration import Arguments, operation
from forerun.speculation.effect_class import EffectClass

MAX_BODY_BYTES = 256 * 1024
BODY_SECONDS = 30.0


class HttpGetUrl(Arguments):
    """What to read."""

    url: str


class HttpGet:
    """`http.get` for the hosts in `allowed`.

    Raises:
        ValueError: an entry that is no host (`ListedHosts`).
    """

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        self._hosts = ListedHosts("http.get", allowed)

    @operation("http.get", version="1", effect=EffectClass.READ, timeout_seconds=70)
    async def get(self, arguments: HttpGetUrl) -> dict[str, Any]:
        """`{"status", "content_type", "body"}`: the body parsed where it is JSON, else as text.

        Raises:
            ApplicationError: a URL that is not allowed, a body of more than 256 KB, a status other
                than 2xx; retried only for a status that may pass. Connection errors are retried.
        """
        async with self._hosts.answer("GET", arguments.url) as answer:
            try:
                body = await answer.body(most_bytes=MAX_BODY_BYTES, seconds=BODY_SECONDS)
            except UnreadableBody as error:
                raise self._hosts.refusal(f"the server {error}") from None
        return {"status": answer.status, "content_type": answer.content_type, "body": body}

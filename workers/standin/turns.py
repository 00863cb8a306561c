"""The seam between the server and a vendor's wire format: one class per vendor API.

A turn turns a finished plan into bytes. It knows nothing of time, faults or connections.
"""

from __future__ import annotations

import json
from typing import Any, ClassVar, Protocol

from forerun.workers.standin.asks import Ask
from forerun.workers.standin.replies import Reply


class Turn(Protocol):
    """One answer in one vendor's format."""

    path: ClassVar[str]
    request_id_header: ClassVar[str]

    def __init__(self, ask: Ask, reply: Reply, request_id: str) -> None: ...

    @staticmethod
    def read(body: bytes) -> Ask:
        """Understand a request body; raises BadAsk."""
        ...

    @staticmethod
    def refusal(status: int, message: str, request_id: str) -> dict[str, Any]:
        """The body of an answer with an error status."""
        ...

    def opening(self) -> bytes:
        """The events before the first token."""
        ...

    def token(self, text: str) -> bytes:
        """The event of one token."""
        ...

    def closing(self) -> bytes:
        """The events after the last token, usage and terminal event included."""
        ...

    def failing(self) -> bytes:
        """The event of a vendor that breaks down in mid-stream."""
        ...

    def whole(self) -> dict[str, Any]:
        """The body of the answer to a request that does not stream."""
        ...


def sse(data: dict[str, Any], *, event: str | None = None) -> bytes:
    """One server-sent event."""
    name = f"event: {event}\n" if event else ""
    return f"{name}data: {json.dumps(data, separators=(',', ':'))}\n\n".encode()


def openai_error(status: int, message: str) -> dict[str, Any]:
    """The error object of both OpenAI APIs."""
    kind, code = _OPENAI_KINDS[status]
    return {"message": message, "type": kind, "param": None, "code": code}


_OPENAI_KINDS = {
    400: ("invalid_request_error", None),
    429: ("rate_limit_exceeded", "rate_limit_exceeded"),
    500: ("server_error", "server_error"),
}

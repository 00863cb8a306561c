"""Anthropic Messages: named events, input usage at the start, output usage at the end.

The SDK skips events without their `event:` line. `output_tokens` in `message_start` is a 1 that
means nothing, exactly as the vendor sends it.
"""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import BaseModel, Field, ValidationError

from forerun.workers.standin.asks import (
    Ask,
    BadAsk,
    Message,
    input_tokens,
    last_user_text,
    text_of,
)
from forerun.workers.standin.replies import Reply
from forerun.workers.standin.turns import sse

_ERROR_TYPES = {400: "invalid_request_error", 429: "rate_limit_error", 500: "api_error"}


class MessagesTurn:
    """One answer of `POST /v1/messages`."""

    path: ClassVar[str] = "/v1/messages"
    request_id_header: ClassVar[str] = "request-id"

    def __init__(self, ask: Ask, reply: Reply, request_id: str) -> None:
        self._ask = ask
        self._reply = reply
        self._request_id = request_id

    @staticmethod
    def read(body: bytes) -> Ask:
        """Understand a request body; raises BadAsk."""
        try:
            asked = _Messages.model_validate_json(body)
        except ValidationError as error:
            raise BadAsk.of(error) from error
        return Ask(
            model=asked.model,
            user=last_user_text(asked.messages),
            input_tokens=input_tokens(asked.messages, text_of(asked.system)),
            max_output_tokens=asked.max_tokens,
            stream=bool(asked.stream),
            system=text_of(asked.system),
        )

    @staticmethod
    def refusal(status: int, message: str, request_id: str) -> dict[str, Any]:
        """The body of an answer with an error status."""
        return _error(_ERROR_TYPES[status], message) | {"request_id": request_id}

    def opening(self) -> bytes:
        """The message without content, then its one block without text."""
        begun = self._message([], stop_reason=None, usage=self._usage(output_tokens=1))
        block = {"type": "text", "text": ""}
        return b"".join(
            (
                _event("message_start", message=begun),
                _event("content_block_start", index=0, content_block=block),
                _event("ping"),
            )
        )

    def token(self, text: str) -> bytes:
        """The event of one token."""
        delta = {"type": "text_delta", "text": text}
        return _event("content_block_delta", index=0, delta=delta)

    def closing(self) -> bytes:
        """The block is done; then the stop reason with the output usage."""
        delta = {"stop_reason": self._stop_reason, "stop_sequence": None}
        usage = self._usage(output_tokens=self._reply.output_tokens)
        return b"".join(
            (
                _event("content_block_stop", index=0),
                _event("message_delta", delta=delta, usage=usage),
                _event("message_stop"),
            )
        )

    def failing(self) -> bytes:
        """The error event; it comes under status 200."""
        return sse(_error("overloaded_error", "Overloaded"), event="error")

    def whole(self) -> dict[str, Any]:
        """The message object."""
        return self._message(
            [{"type": "text", "text": self._reply.text}],
            stop_reason=self._stop_reason,
            usage=self._usage(output_tokens=self._reply.output_tokens),
        )

    @property
    def _stop_reason(self) -> str:
        return "max_tokens" if self._reply.cut_at_maximum else "end_turn"

    def _usage(self, *, output_tokens: int) -> dict[str, Any]:
        hidden = min(self._reply.hidden_tokens, output_tokens)
        return {
            "input_tokens": self._ask.input_tokens,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens": output_tokens,
            "output_tokens_details": {"thinking_tokens": hidden},
            "service_tier": "standard",
        }

    def _message(self, content: list[dict[str, Any]], **fields: Any) -> dict[str, Any]:
        return {
            "id": f"msg_{self._request_id}",
            "type": "message",
            "role": "assistant",
            "model": self._ask.model,
            "content": content,
            "stop_sequence": None,
            **fields,
        }


def _event(kind: str, **fields: Any) -> bytes:
    return sse({"type": kind, **fields}, event=kind)


def _error(kind: str, message: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message}}


class _Messages(BaseModel):
    model: str
    messages: list[Message] = Field(min_length=1)
    system: str | list[dict[str, Any]] | None = None
    max_tokens: int = Field(ge=1)
    stream: bool | None = None

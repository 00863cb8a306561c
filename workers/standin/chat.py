"""OpenAI Chat Completions: unnamed events, and usage only in a last chunk that is asked for."""

from __future__ import annotations

import time
from typing import Any, ClassVar

from pydantic import BaseModel, Field, ValidationError

from forerun.workers.standin.asks import (
    Ask,
    BadAsk,
    Message,
    input_tokens,
    last_user_text,
    system_text,
)
from forerun.workers.standin.replies import Reply
from forerun.workers.standin.turns import openai_error, sse


class ChatTurn:
    """One answer of `POST /v1/chat/completions`."""

    path: ClassVar[str] = "/v1/chat/completions"
    request_id_header: ClassVar[str] = "x-request-id"

    def __init__(self, ask: Ask, reply: Reply, request_id: str) -> None:
        self._ask = ask
        self._reply = reply
        self._id = f"chatcmpl-{request_id}"
        self._created = int(time.time())

    @staticmethod
    def read(body: bytes) -> Ask:
        """Understand a request body; raises BadAsk."""
        try:
            chat = _Chat.model_validate_json(body)
        except ValidationError as error:
            raise BadAsk.of(error) from error
        return Ask(
            model=chat.model,
            user=last_user_text(chat.messages),
            input_tokens=input_tokens(chat.messages),
            max_output_tokens=chat.max_completion_tokens or chat.max_tokens,
            stream=bool(chat.stream),
            system=system_text(chat.messages),
            include_usage=bool(chat.stream_options and chat.stream_options.include_usage),
        )

    @staticmethod
    def refusal(status: int, message: str, request_id: str) -> dict[str, Any]:
        """The body of an answer with an error status."""
        del request_id  # only in the header
        return {"error": openai_error(status, message)}

    def opening(self) -> bytes:
        """The chunk that names the role."""
        return self._chunk({"role": "assistant", "content": "", "refusal": None})

    def token(self, text: str) -> bytes:
        """The chunk of one token."""
        return self._chunk({"content": text})

    def closing(self) -> bytes:
        """The finish reason, the usage where it was asked for, and the end mark."""
        events = self._chunk({}, finish_reason=self._finish_reason)
        if self._ask.include_usage:
            events += sse(
                self._head("chat.completion.chunk") | {"choices": [], "usage": self._usage}
            )
        return events + b"data: [DONE]\n\n"

    def failing(self) -> bytes:
        """An error in place of a chunk."""
        return sse({"error": openai_error(500, "The server had an error while answering")})

    def whole(self) -> dict[str, Any]:
        """The completion object."""
        message = {"role": "assistant", "content": self._reply.text, "refusal": None}
        choice = {
            "index": 0,
            "message": message,
            "logprobs": None,
            "finish_reason": self._finish_reason,
        }
        return self._head("chat.completion") | {"choices": [choice], "usage": self._usage}

    @property
    def _finish_reason(self) -> str:
        return "length" if self._reply.cut_at_maximum else "stop"

    @property
    def _usage(self) -> dict[str, Any]:
        entering, leaving = self._ask.input_tokens, self._reply.output_tokens
        return {
            "prompt_tokens": entering,
            "completion_tokens": leaving,
            "total_tokens": entering + leaving,
            "prompt_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": self._reply.hidden_tokens},
        }

    def _head(self, kind: str) -> dict[str, Any]:
        return {
            "id": self._id,
            "object": kind,
            "created": self._created,
            "model": self._ask.model,
            "service_tier": "default",
        }

    def _chunk(self, delta: dict[str, Any], *, finish_reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        chunk = self._head("chat.completion.chunk") | {"choices": [choice]}
        if self._ask.include_usage:
            chunk["usage"] = None
        return sse(chunk)


class _StreamOptions(BaseModel):
    include_usage: bool | None = None


class _Chat(BaseModel):
    model: str
    messages: list[Message] = Field(min_length=1)
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    max_tokens: int | None = Field(default=None, ge=1)
    max_completion_tokens: int | None = Field(default=None, ge=1)

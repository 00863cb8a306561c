"""OpenAI Responses: named, numbered events, and usage only in the terminal one."""

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


class ResponsesTurn:
    """One answer of `POST /v1/responses`."""

    path: ClassVar[str] = "/v1/responses"
    request_id_header: ClassVar[str] = "x-request-id"

    def __init__(self, ask: Ask, reply: Reply, request_id: str) -> None:
        self._ask = ask
        self._reply = reply
        self._id = f"resp_{request_id}"
        self._item_id = f"msg_{request_id}"
        self._created = int(time.time())
        self._events = 0

    @staticmethod
    def read(body: bytes) -> Ask:
        """Understand a request body; raises BadAsk."""
        try:
            asked = _Responses.model_validate_json(body)
        except ValidationError as error:
            raise BadAsk.of(error) from error
        messages = asked.input
        if isinstance(messages, str):
            messages = [Message(role="user", content=messages)]
        return Ask(
            model=asked.model,
            user=last_user_text(messages),
            input_tokens=input_tokens(messages, asked.instructions or ""),
            max_output_tokens=asked.max_output_tokens,
            stream=bool(asked.stream),
            system=asked.instructions or system_text(messages),
        )

    @staticmethod
    def refusal(status: int, message: str, request_id: str) -> dict[str, Any]:
        """The body of an answer with an error status."""
        del request_id  # only in the header
        return {"error": openai_error(status, message)}

    def opening(self) -> bytes:
        """A response without content, then its one message without text."""
        begun = self._response("in_progress", output=[], usage=None)
        return b"".join(
            (
                self._event("response.created", response=begun),
                self._event("response.in_progress", response=begun),
                self._event(
                    "response.output_item.added",
                    output_index=0,
                    item=self._item("in_progress", content=[]),
                ),
                self._part_event("response.content_part.added", part=_part("")),
            )
        )

    def token(self, text: str) -> bytes:
        """The event of one token."""
        return self._part_event("response.output_text.delta", delta=text, logprobs=[])

    def closing(self) -> bytes:
        """Text, part and item are done; then the whole response once more, with its usage."""
        text, status = self._reply.text, self._status
        item = self._item(status, content=[_part(text)])
        return b"".join(
            (
                self._part_event("response.output_text.done", text=text, logprobs=[]),
                self._part_event("response.content_part.done", part=_part(text)),
                self._event("response.output_item.done", output_index=0, item=item),
                self._event(f"response.{status}", response=self.whole()),
            )
        )

    def failing(self) -> bytes:
        """The error event."""
        return self._event("error", error=openai_error(500, "The server had an error"))

    def whole(self) -> dict[str, Any]:
        """The response object."""
        item = self._item(self._status, content=[_part(self._reply.text)])
        return self._response(self._status, output=[item], usage=self._usage)

    @property
    def _status(self) -> str:
        return "incomplete" if self._reply.cut_at_maximum else "completed"

    @property
    def _usage(self) -> dict[str, Any]:
        entering, leaving = self._ask.input_tokens, self._reply.output_tokens
        return {
            "input_tokens": entering,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": leaving,
            "output_tokens_details": {"reasoning_tokens": self._reply.hidden_tokens},
            "total_tokens": entering + leaving,
        }

    def _response(self, status: str, **fields: Any) -> dict[str, Any]:
        cut = {"reason": "max_output_tokens"} if status == "incomplete" else None
        return {
            "id": self._id,
            "object": "response",
            "created_at": self._created,
            "status": status,
            "error": None,
            "incomplete_details": cut,
            "instructions": None,
            "max_output_tokens": self._ask.max_output_tokens,
            "metadata": {},
            "model": self._ask.model,
            "parallel_tool_calls": True,
            "service_tier": "default",
            "temperature": 1.0,
            "tool_choice": "auto",
            "tools": [],
            "top_p": 1.0,
            **fields,
        }

    def _item(self, status: str, content: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "id": self._item_id,
            "type": "message",
            "status": status,
            "role": "assistant",
            "content": content,
        }

    def _part_event(self, kind: str, **fields: Any) -> bytes:
        return self._event(kind, item_id=self._item_id, output_index=0, content_index=0, **fields)

    def _event(self, kind: str, **fields: Any) -> bytes:
        data = {"type": kind, "sequence_number": self._events, **fields}
        self._events += 1
        return sse(data, event=kind)


def _part(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


class _Responses(BaseModel):
    model: str
    input: str | list[Message]
    instructions: str | None = None
    stream: bool | None = None
    max_output_tokens: int | None = Field(default=None, ge=1)

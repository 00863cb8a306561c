"""What the three vendors' requests have in common, and how an unreadable one is refused.

Unknown fields are ignored: vendor SDKs add new ones with every release.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from forerun.workers.standin.tokenizer import count_tokens


class Message(BaseModel):
    """One message of any vendor; items that are no messages have no role and no text for us."""

    role: str = ""
    content: str | list[dict[str, Any]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One understood request.

    `user` is the text of the last user message, `system` the system text. `max_output_tokens` is None
    when the request sets no limit. `include_usage` only concerns a Chat Completions stream, `texts` and
    `as_base64` only a request for embeddings, whose `user` is its texts, one below the other.
    """

    model: str
    user: str
    input_tokens: int
    max_output_tokens: int | None
    stream: bool
    system: str = ""
    include_usage: bool = False
    texts: tuple[str, ...] = ()
    as_base64: bool = False


class BadAsk(ValueError):
    """The request is none the vendor would take; the message is one line."""

    @classmethod
    def of(cls, error: ValidationError) -> BadAsk:
        """Name the first thing that is wrong with a request body."""
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        path = ".".join(str(part) for part in first["loc"]) or "body"
        return cls(f"{path}: {first['msg']}")


def text_of(content: str | list[dict[str, Any]] | None) -> str:
    """The text of a message, its text parts one per line."""
    if content is None or isinstance(content, str):
        return content or ""
    return "\n".join(part["text"] for part in content if isinstance(part.get("text"), str))


def last_user_text(messages: Iterable[Message]) -> str:
    """What the last user message says; "" when there is none."""
    texts = [text_of(message.content) for message in messages if message.role == "user"]
    return texts[-1] if texts else ""


def system_text(messages: Iterable[Message]) -> str:
    """What the system messages say, where a vendor puts them among the others."""
    spoken = (text_of(m.content) for m in messages if m.role in ("system", "developer"))
    return "\n".join(spoken)


def input_tokens(messages: Iterable[Message], system: str = "") -> int:
    """All tokens of a prompt; the stand-in charges nothing for roles and framing."""
    return count_tokens(system) + sum(count_tokens(text_of(m.content)) for m in messages)

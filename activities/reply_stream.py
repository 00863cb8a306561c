"""One loop that reads an answer, for whoever asks a model."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass

from forerun.activities.failures import Kind, ProviderError
from forerun.activities.meter import Meter
from forerun.activities.provider import Delta, Finished, Opened, Prompt, Provider


@dataclass(frozen=True, slots=True)
class Reply:
    """The whole text of an answer, and why it ended."""

    text: str
    reason: str


async def read_reply(
    provider: Provider,
    prompt: Prompt,
    meter: Meter,
    heard: Callable[[str], None] = lambda piece: None,
) -> Reply:
    """Read an answer to its end, metering what arrives; `heard` is given each piece of its text.

    Raises:
        ProviderError: the provider failed, or the stream ended without its terminal event.
    """
    text: list[str] = []
    finished: Finished | None = None
    async with aclosing(provider.stream(prompt)) as events:
        async for event in events:
            match event:
                case Opened():
                    meter.opened(event.input_usage, event.in_flight_ms)
                case Delta():
                    meter.delivered(event.text)
                    if event.answer:
                        text.append(event.text)
                        heard(event.text)
                case Finished():
                    meter.finished(event.usage, event.service_tier, event.hidden_tokens)
                    finished = event
    if finished is None:
        raise ProviderError(Kind.TRUNCATED)
    return Reply("".join(text), finished.reason)

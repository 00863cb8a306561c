"""The seam between a model call and a vendor: a prompt goes in, a stream of three events comes out.

Adapters in `activities.providers` implement it with a vendor's SDK; nothing else knows one.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Protocol

from forerun.speculation.pricing import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """What a provider is sent."""

    model: str
    system: str | None
    user: str
    max_output_tokens: int
    temperature: float | None

    @property
    def text(self) -> str:
        """All of it."""
        return f"{self.system or ''}{self.user}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """The provider has begun to answer; `input_usage` where it says so already.

    `in_flight_ms` is how long it goes on before it notices that we are gone.
    """

    input_usage: Usage | None = None
    in_flight_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """A piece of text; `answer` is false for visible reasoning, which is paid for as well."""

    text: str
    answer: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """The provider says that the answer is complete.

    `reason` is `stop`, `length` (cut at the maximum), `refused`, or the vendor's own word. `usage`
    is the provider's record, all of it: None where it sends none. `hidden_tokens` are those of its
    output that were never sent, reasoning for instance; None where the record does not tell.
    """

    reason: str
    usage: Usage | None
    service_tier: str | None = None
    hidden_tokens: int | None = None


class Provider(Protocol):
    """A vendor, as far as a call is concerned."""

    def stream(self, prompt: Prompt) -> AsyncGenerator[Opened | Delta | Finished, None]:
        """Stream one answer: `Opened`, pieces, `Finished`. Without `Finished` it is truncated.

        Closing the generator, or cancelling the task that reads it, closes the connection at once.

        Raises:
            ProviderError: whatever goes wrong.
        """
        ...

    async def aclose(self) -> None:
        """Close the connections; no call may follow."""
        ...

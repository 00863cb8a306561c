"""Checkpoints: what a call tells its own run before it ends, by signal.

The law: telling never fails the call and never holds up its answer. One task sends beside the
stream, the newest value wins, and what cannot be sent is logged and forgotten.

The surprise: a checkpoint is a hint and no part of the result. It may never arrive, arrive twice,
or be overtaken by the end of its call or by the next attempt, which tells something else.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Annotated, Any, cast

from pydantic import Field
from temporalio import activity
from temporalio.service import RPCError

from forerun.activities.failures import RATE_LIMIT_SECONDS, Kind, ProviderError
from forerun.activities.partial_reply import PartialReply

CHECKPOINT = "checkpoint"
"""The name of the signal."""

SECONDS_BETWEEN = 0.25
"""Each costs the run a workflow task and up to four events."""

PATIENCE_SECONDS = 2.0
"""For a server that does not take a signal; the SDK itself would try for longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What a call may tell: at most `most` messages, over all its attempts.

    With `output`, what is certain of a choice or an object that still streams; with `field`, nothing
    of an object before this field is whole. Rate limits are told in any case.
    """

    most: int
    output: bool = False
    field: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What is certain of the output by now: a choice, or an object of whole fields.

    `call` is the activity's id. A higher (`attempt`, `sequence`) is newer.
    """

    call: str
    attempt: Annotated[int, Field(ge=1)]
    sequence: Annotated[int, Field(ge=1)]
    value: Any
    delivered_tokens: Annotated[int, Field(ge=0)]


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimited:
    """An attempt ended with a rate limit; Temporal tries again, so the run would not hear of it."""

    call: str
    attempt: Annotated[int, Field(ge=1)]
    provider: str
    rate_limited_seconds: Annotated[float, Field(ge=0, le=86_400)]


class Checkpoints:
    """What one attempt tells. `sent` counts the messages of all attempts of its call so far."""

    def __init__(
        self,
        watch: Watch | None,
        partial: PartialReply | None,
        delivered_tokens: Callable[[], int],
    ) -> None:
        self._most = watch.most if watch else 0
        self._partial = partial
        self._delivered_tokens = delivered_tokens
        self._news = asyncio.Event()
        self.sent = _sent_before(activity.info().heartbeat_details)

    def heard(self, piece: str) -> None:
        """Take a piece of the answer; what it makes certain is sent beside the stream."""
        if self._partial is not None and self._partial.read(piece):
            self._news.set()

    @asynccontextmanager
    async def beside(self) -> AsyncGenerator[None]:
        """Send while the body reads the stream, and not after it."""
        if self._partial is None:
            yield
            return
        telling = asyncio.create_task(self._tell(self._partial))
        try:
            yield
        finally:
            telling.cancel()
            # A cancel request that arrives during this await comes after the body: it lost the
            # race. `wait`, as whatever went wrong with the telling is no failure of the call.
            with suppress(asyncio.CancelledError):
                await asyncio.wait([telling])

    async def failed(self, error: ProviderError, provider: str) -> None:
        """The attempt has ended with `error`: tell of a rate limit that will be waited for."""
        if error.kind is not Kind.RATE_LIMITED or not error.retryable or self.sent >= self._most:
            return
        info, asked = activity.info(), error.retry_after_seconds
        await self._send(
            RateLimited(
                call=info.activity_id,
                attempt=info.attempt,
                provider=provider,
                rate_limited_seconds=RATE_LIMIT_SECONDS if asked is None else asked,
            )
        )

    async def _tell(self, partial: PartialReply) -> None:
        info, told = activity.info(), None
        while self.sent < self._most:
            await self._news.wait()
            self._news.clear()
            value = partial.certain()
            if value is None or value == told:
                continue
            told = value
            await self._send(
                Checkpoint(
                    call=info.activity_id,
                    attempt=info.attempt,
                    sequence=self.sent + 1,
                    value=value,
                    delivered_tokens=self._delivered_tokens(),
                )
            )
            await asyncio.sleep(SECONDS_BETWEEN)

    async def _send(self, message: Checkpoint | RateLimited) -> None:
        info = activity.info()
        run = activity.client().get_workflow_handle(
            info.workflow_id or "", run_id=info.workflow_run_id
        )
        self.sent += 1
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await run.signal(CHECKPOINT, message)
        except (RPCError, TimeoutError, ValueError) as error:
            # Mostly the run is over; a ValueError is data nested too deep for the converter.
            activity.logger.warning("checkpoint.unsent", extra={"why": type(error).__name__})


def _sent_before(heartbeat_details: Sequence[Any]) -> int:
    """What the attempts before had sent, by their last heartbeat."""
    first = cast("Mapping[str, Any]", heartbeat_details[0]) if heartbeat_details else None
    sent = first.get("checkpoints") if isinstance(first, Mapping) else None
    return sent if isinstance(sent, int) else 0

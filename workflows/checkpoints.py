"""Checkpoints as the run receives them: what its calls tell before they end.

The law: nothing of it is trusted and nothing raises. Anybody may signal, in any shape and order,
and an error in a signal handler would retry the workflow task for ever. So what does not parse, or
comes from no call of this run, is counted and ignored, and of each call only the newest counts.

Every signal is in history, so how many there may be is handed out beforehand: each call is granted
some, and what it has not used when it ends goes to others.
"""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter
from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from forerun.activities.checkpoints import Checkpoint, RateLimited, Watch
    from forerun.activities.partial_reply import MAX_PARTIAL_BYTES
    from forerun.speculation.canonical import canonical_json

SIGNALS_PER_RUN = 2_000
"""Of 10,000 that the server takes; approvals need room too."""

CHECKPOINTS_PER_CALL = 8
NOTICES_PER_CALL = 4
"""An ordinary call only tells of rate limits, at most once per attempt."""

MAX_MESSAGE_BYTES = MAX_PARTIAL_BYTES + 4096


class Checkpoints:
    """What the calls of one run have told. `ignored` counts what was malformed or foreign."""

    def __init__(self) -> None:
        self.ignored = 0
        self._received = 0
        self._granted: dict[str, int] = {}
        self._calls: set[str] = set()
        self._newest: dict[str, Checkpoint] = {}

    def grant(self, call: str, *, output: bool = False, field: str | None = None) -> Watch | None:
        """What a call about to start may tell; None if the run's allowance is used up.

        `output` and `field`: see `Watch`. `call` is the activity's id, unique in the run.
        """
        left = SIGNALS_PER_RUN - self._received - sum(self._granted.values())
        most = min(left, CHECKPOINTS_PER_CALL if output else NOTICES_PER_CALL)
        if most <= 0:
            return None
        self._calls.add(call)
        self._granted[call] = most
        return Watch(most=most, output=output, field=field)

    def ended(self, call: str) -> None:
        """The call is over: take back what it has not used."""
        self._granted.pop(call, None)

    def receive(self, payloads: tuple[Any, ...]) -> RateLimited | None:
        """Take a signal, whatever it holds; a rate limit is handed on."""
        self._received += 1
        message = _message(payloads[0]) if len(payloads) == 1 else None
        if message is None or message.call not in self._calls:
            self.ignored += 1
            return None
        # A signal may come after the end of its call: it counts all the same.
        if self._granted.get(message.call):
            self._granted[message.call] -= 1
        if isinstance(message, RateLimited):
            return message
        newest = self._newest.get(message.call)
        if newest is None or _order(newest) < _order(message):
            self._newest[message.call] = message
        return None

    def latest(self, call: str) -> Checkpoint | None:
        """The newest checkpoint of a call, by attempt and sequence; None before the first."""
        return self._newest.get(call)


def _order(checkpoint: Checkpoint) -> tuple[int, int]:
    return checkpoint.attempt, checkpoint.sequence


_MESSAGE: TypeAdapter[Checkpoint | RateLimited] = TypeAdapter(Checkpoint | RateLimited)


def _message(raw: Any) -> Checkpoint | RateLimited | None:
    try:
        text = canonical_json(raw).encode()
        fits = len(text) <= MAX_MESSAGE_BYTES
        return _MESSAGE.validate_json(text, strict=True) if fits else None
    except ValueError:
        return None

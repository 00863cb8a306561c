"""What really happened to each request: the ground truth that estimates are measured against."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import asdict, dataclass
from typing import Any, Literal

Outcome = Literal["completed", "disconnected", "faulted", "running"]

_KEPT = 20_000  # a prompt may be a quarter of a megabyte


@dataclass(slots=True, kw_only=True)
class Entry:
    """One request; times are unix seconds.

    `ended` and `closed_at` are set together: when the answer was finished or broken off by a fault,
    or when the client was seen to be gone.
    """

    model: str
    user: str
    started: float
    ended: float | None = None
    delivered_tokens: int = 0
    outcome: Outcome = "running"
    closed_at: float | None = None

    def close(self, outcome: Outcome) -> None:
        """Write down how it ended; what comes later changes nothing."""
        if self.outcome == "running":
            self.outcome = outcome
            self.ended = self.closed_at = time.time()


class Journal:
    """The requests in the order they came, the last 20,000 of them."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=_KEPT)

    def open(self, *, model: str, user: str) -> Entry:
        """Write down a request that has just been read."""
        entry = Entry(model=model, user=user, started=time.time())
        self._entries.append(entry)
        return entry

    def clear(self) -> None:
        """Forget everything; requests still running are not listed again."""
        self._entries.clear()

    def as_json(self, prefix: str = "") -> list[dict[str, Any]]:
        """All entries, or those whose user message begins with `prefix`."""
        return [asdict(entry) for entry in self._entries if entry.user.startswith(prefix)]

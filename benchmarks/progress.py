"""One line now and then about how far a benchmark is."""

from __future__ import annotations

import time

LINES = 10


class Progress:
    """Counts steps of a benchmark, and prints a line for every tenth of them."""

    def __init__(self, name: str, steps: int) -> None:
        self._name = name
        self._steps = steps
        self._done = 0
        self._began = time.monotonic()

    def step(self) -> None:
        """One more is done."""
        self._done += 1
        before, now = ((LINES * n) // self._steps for n in (self._done - 1, self._done))
        if now > before:
            seconds = time.monotonic() - self._began
            print(f"{self._name}: {self._done}/{self._steps} after {seconds:.0f} s", flush=True)

"""How busy the machine was while something was measured.

Machines are shared, and waits that only queue for a core say nothing about an engine. So every
benchmark that takes time prints this beside its figures.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.spread import percentile

EVERY_SECONDS = 0.5
STAT = Path("/proc/stat")


@dataclass(slots=True)
class Load:
    """Shares of all cores that were busy, and how late this event loop woke up, in milliseconds."""

    busy: list[float] = field(default_factory=list[float])
    late_ms: list[float] = field(default_factory=list[float])

    @staticmethod
    @asynccontextmanager
    async def watched() -> AsyncGenerator[Load]:
        """Sampled for the length of the block."""
        load = Load()
        sampling = asyncio.create_task(load._sample())
        try:
            yield load
        finally:
            sampling.cancel()
            with suppress(asyncio.CancelledError):
                await sampling

    @property
    def figures(self) -> dict[str, Any]:
        """Median and 95th percentile; the machine's share is None where it does not tell."""
        return {
            "machine_busy_p50": round(percentile(self.busy, 0.5), 2) if self.busy else None,
            "machine_busy_p95": round(percentile(self.busy, 0.95), 2) if self.busy else None,
            "loop_late_ms_p50": round(percentile(self.late_ms, 0.5), 1),
            "loop_late_ms_p95": round(percentile(self.late_ms, 0.95), 1),
        }

    async def _sample(self) -> None:
        before = _ticks()
        while True:
            due = time.monotonic() + EVERY_SECONDS
            await asyncio.sleep(EVERY_SECONDS)
            self.late_ms.append(1000 * (time.monotonic() - due))
            now = _ticks()
            if before and now:
                idle, total = now[0] - before[0], now[1] - before[1]
                self.busy.append(1 - idle / max(total, 1))
            before = now


def cpu_seconds(pid: int) -> float | None:
    """CPU seconds that another process has used; None where the machine does not tell."""
    path = Path(f"/proc/{pid}/stat")
    if not path.exists():
        return None
    fields = path.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_SECOND


_TICKS_PER_SECOND = 100


def _ticks() -> tuple[int, int] | None:
    """Idle and all ticks of all cores since the machine started."""
    if not STAT.exists():
        return None
    ticks = [int(field) for field in STAT.read_text().split("\n", 1)[0].split()[1:9]]
    return ticks[3] + ticks[4], sum(ticks)

"""Run a command that takes minutes, and show that it lives.

A terminal gets one line, rewritten every second; anything else gets a line every 15 seconds.
"""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TextIO

from forerun.workers.devserver.child_output import last_output
from forerun.workers.devserver.failure import CliUnusable
from forerun.workers.devserver.leash import leashed

TICK_SECONDS = 0.2
PLAIN_SECONDS = 15.0
TERMINAL_SECONDS = 1.0
LAST_LINES = 5
WIDTH = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class LongStep:
    """What to run, what to call it, and how to see that it moves.

    `doing` makes one line of what is going on from the last line the command printed. When that
    line does not change for `patience` seconds, the step is taken for stuck and killed.
    """

    title: str
    command: Sequence[str]
    folder: Path
    env: Mapping[str, str]
    doing: Callable[[str], str] = str
    patience: float = float("inf")


def run(step: LongStep, progress: TextIO) -> None:
    """Run `step` to its end.

    Raises:
        CliUnusable: it failed, with the last lines it printed, or it got stuck.
    """
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            leashed(step.command),
            cwd=step.folder,
            env=step.env,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        try:
            _follow(step, process, log, progress)
        finally:
            process.kill()
            process.wait()
        if process.returncode:
            lines = " / ".join(last_output(log).splitlines()[-LAST_LINES:])
            raise CliUnusable(f"failed with exit code {process.returncode}: {lines}")


def _follow(
    step: LongStep, process: subprocess.Popen[bytes], log: IO[bytes], progress: TextIO
) -> None:
    meter = _Meter(step.title, progress)
    moved, last_seen = time.monotonic(), ""
    while process.poll() is None:
        seen = step.doing(last_output(log).rpartition("\n")[2])
        if seen != last_seen:
            moved, last_seen = time.monotonic(), seen
        if time.monotonic() - moved > step.patience:
            raise CliUnusable(f"no progress for {step.patience:.0f} s ({seen})")
        meter.show(seen)
        time.sleep(TICK_SECONDS)
    meter.close()


class _Meter:
    """Seconds passed and what is going on, as often as the stream can bear."""

    def __init__(self, title: str, stream: TextIO) -> None:
        self._title = title
        self._stream = stream
        self._started = time.monotonic()
        self._terminal = stream.isatty()
        self._due = 0.0

    def show(self, doing: str) -> None:
        seconds = time.monotonic() - self._started
        if seconds < self._due:
            return
        self._due = seconds + (TERMINAL_SECONDS if self._terminal else PLAIN_SECONDS)
        line = " · ".join(filter(None, (self._title, f"{seconds:.0f} s", doing)))[:WIDTH]
        self._stream.write(f"\r\x1b[K{line}" if self._terminal else f"{line}\n")
        self._stream.flush()

    def close(self) -> None:
        if self._terminal:
            self._stream.write("\r\x1b[K")
            self._stream.flush()

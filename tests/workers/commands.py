"""The command `forerun` as its users run it: in a process of its own, in a folder of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

COMMAND = [sys.executable, "-P", "-m", "forerun.workers.cli"]
INHERITED = ("HOME", "PATH", "PYTHONPATH", "PYTHONPYCACHEPREFIX")
PATIENCE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Ended:
    """A command that is over."""

    code: int
    stdout: str
    stderr: str

    @property
    def complaint(self) -> str:
        """The one line that it complained with."""
        assert self.stderr.startswith("forerun: "), self.stderr
        assert self.stderr.count("\n") == 1, self.stderr
        return self.stderr.removeprefix("forerun: ").strip()


@dataclass(frozen=True, slots=True)
class Place:
    """A folder to run commands in, and what their environment says."""

    folder: Path
    env: dict[str, str] = field(default_factory=dict[str, str])

    def __call__(self, *arguments: str, env: Mapping[str, str] | None = None) -> Ended:
        """Run a command to its end."""
        done = subprocess.run(
            [*COMMAND, *arguments],
            cwd=self.folder,
            env=self.environment(env or {}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    @contextmanager
    def started(self, *arguments: str) -> Generator[Live]:
        """Run a command for the length of the block, as leader of a process group."""
        with subprocess.Popen(
            [*COMMAND, *arguments],
            cwd=self.folder,
            env=self.environment({}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as process:
            live = Live(process)
            try:
                yield live
            finally:
                live.signal_group(signal.SIGKILL)

    def environment(self, extra: Mapping[str, str]) -> dict[str, str]:
        """What the commands find around them."""
        # Not PYTHONDONTWRITEBYTECODE: without cached byte code every command takes seconds more.
        inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
        return {**inherited, "XDG_DATA_HOME": str(self.folder / "data"), **self.env, **extra}


@dataclass(frozen=True, slots=True)
class Live:
    """A command that is running."""

    process: subprocess.Popen[str]

    def line(self, *words: str) -> str:
        """The next line of its output with any of these words."""
        try:
            return _line(_open(self.process.stdout), words)
        except LookupError as error:
            raise AssertionError(f"{error}\n{_open(self.process.stderr).read()}") from None

    def error_line(self, *words: str) -> str:
        """The next line on stderr with any of these words."""
        return _line(_open(self.process.stderr), words)

    def signal(self, number: int) -> Ended:
        """Send it a signal, and wait for its end."""
        self.process.send_signal(number)
        return self.end()

    def signal_group(self, number: int) -> None:
        """Send a signal to its whole process group, as a terminal does for Ctrl-C."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def end(self) -> Ended:
        """Wait for its end."""
        stdout, stderr = self.process.communicate(timeout=PATIENCE_SECONDS)
        return Ended(self.process.returncode, stdout, stderr)

    @property
    def group(self) -> list[str]:
        """The living processes of its group."""
        listed = subprocess.run(
            ["ps", "-e", "-o", "pgid=,stat=,args="], capture_output=True, text=True, check=True
        )
        lines = [line.split(maxsplit=2) for line in listed.stdout.splitlines()]
        pgid = str(self.process.pid)
        return [line[2] for line in lines if line[0] == pgid and not line[1].startswith("Z")]


def address(ready: str, name: str) -> str:
    """The address that a ready line gives for `name`."""
    found = re.search(rf"\b{name}=(\S+)", ready)
    assert found, ready
    return found[1]


def _line(stream: IO[str], words: tuple[str, ...]) -> str:
    seen: list[str] = []
    for line in stream:
        seen.append(line)
        if any(word in line for word in words):
            return line.strip()
    raise LookupError(f"none of {words} in: {''.join(seen)}")


def _open(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream

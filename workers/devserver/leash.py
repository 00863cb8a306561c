"""A leash for a child process: it dies when the process that started it dies, even by `kill -9`.

The child is this file, run as a script, which ties itself to its parent and then becomes the
command. Doing it here and not between fork and exec (`preexec_fn`) matters: the parent has threads
of the Temporal client, and Python code in a forked copy of it may wait for a lock for ever.

Linux ties a child to the *thread* that started it: start one only from a thread that lives as long
as the child should.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence

PR_SET_PDEATHSIG = 1  # linux/prctl.h
POLL_SECONDS = 0.2


def leashed(command: Sequence[str]) -> list[str]:
    """The command line that runs `command` (an absolute path and its arguments) on a leash."""
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), *command]


def tie_and_become(parent: int, command: list[str]) -> None:
    """Ask the kernel to kill this process with its parent, then become `command` (Linux)."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # survives exec
    if os.getppid() == parent:  # else the parent died before the request
        os.execv(command[0], command)


def watch(parent: int, command: list[str]) -> int:
    """Run `command` and kill it once our parent is gone (where the kernel offers no leash)."""
    child = subprocess.Popen(command)
    signal.signal(signal.SIGTERM, lambda _number, _frame: child.terminate())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the child got the same Ctrl-C and decides
    while child.poll() is None:
        if os.getppid() != parent:
            child.kill()
        time.sleep(POLL_SECONDS)
    return child.returncode


if __name__ == "__main__":
    if sys.platform == "linux":
        tie_and_become(int(sys.argv[1]), sys.argv[2:])
    else:
        sys.exit(watch(int(sys.argv[1]), sys.argv[2:]))

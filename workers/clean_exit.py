"""Leaving the interpreter only when no thread of Temporal's client is still inside it.

Such a thread tells the event loop that the server has answered, and gives up the interpreter's lock
while it wakes the loop. If the machine is busy, the program may be over before it gets the lock back;
the interpreter then ends the thread in mid-call, and the SDK aborts the process (sdk-python#300):
all work is done, and the exit code says otherwise.
"""

from __future__ import annotations

import atexit
import sys
import threading
import time

PATIENCE_SECONDS = 1.0
"""A thread may also be there for good, an embedded debugger's, say."""

LOOK_AGAIN_SECONDS = 0.001


def leave_in_order() -> None:
    """From now on the program's end waits, at most a second, for threads that are not its own."""
    atexit.unregister(_wait_for_foreign_threads)
    atexit.register(_wait_for_foreign_threads)


def _wait_for_foreign_threads() -> None:
    """Sleeping hands them the lock; one that has returned to the SDK shows no frame any more."""
    own = {thread.ident for thread in threading.enumerate()}
    patience = time.monotonic() + PATIENCE_SECONDS
    while _inside() - own and time.monotonic() < patience:
        time.sleep(LOOK_AGAIN_SECONDS)


def _inside() -> set[int]:
    """Every thread that is in Python code; documented, for all its underscore."""
    return set(sys._current_frames())  # pyright: ignore[reportPrivateUsage]

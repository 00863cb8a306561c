"""The end of a program that uses the plugin."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import _thread, time
from forerun import SpeculationPlugin

SpeculationPlugin()
SpeculationPlugin()

def foreign():
    inside.release()
    time.sleep(0.05)
    print("finished", flush=True)

inside = _thread.allocate_lock()
inside.acquire()
_thread.start_new_thread(foreign, ())
inside.acquire()
"""


def test_threads_that_python_does_not_know_finish_first() -> None:
    """A thread that was not made by `threading`, as those of Temporal's client, is not cut off.

    Without the plugin the program ends under it: nothing is printed.
    """
    assert _printed(PROGRAM) == "finished\n"
    assert _printed(PROGRAM.replace("SpeculationPlugin()\n", "")) == ""


def _printed(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return done.stdout

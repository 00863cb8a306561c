"""The command `forerun`: a thin client of the rest.

The law: it prints results on stdout and everything else on stderr, it never shows a traceback for
what a user can mend, and its exit code is true: 0 done, 1 failed, 2 bad input, 128 + n ended by
signal n.
"""

from __future__ import annotations

import signal
import traceback
from typing import NoReturn

from forerun.workers.cli.process import CommandError, complain, leave


def main() -> NoReturn:
    """The entry point of the console script; it ends the process."""
    # Until a command has handlers of its own, Ctrl-C ends it at once; typer would say "Aborted!".
    signal.signal(signal.SIGINT, lambda number, _: leave(128 + number))
    from forerun.workers.cli.app import app  # takes its time, so after the line above

    try:
        app()
        leave(0)
    except SystemExit as end:
        leave(end.code if isinstance(end.code, int) else 1)
    except CommandError as error:
        complain(str(error))
        leave(error.code)
    except BrokenPipeError:
        leave(1)
    except Exception:  # noqa: BLE001 - a bug of ours: shown in full, and the exit code stays true
        traceback.print_exc()
        leave(1)

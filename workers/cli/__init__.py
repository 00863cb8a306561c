"""The command `forerun`: a thin client of the rest.

The law: it prints results on stdout and everything else on stderr, it never shows a traceback for
what a user can mend, and its exit code is true: 0 done, 1 failed, 2 bad input, 128 + n ended by
signal n.
"""

from __future__ import annotations

from typing import NoReturn

from forerun.workers.cli.process import CommandError, complain, leave


def main() -> NoReturn:
    """The entry point of the console script; it ends the process."""
    try:
        from forerun.workers.cli.app import app  # here, so that Ctrl-C at start is quiet too

        app()
        leave(0)
    except SystemExit as end:
        leave(end.code if isinstance(end.code, int) else 1)
    except CommandError as error:
        complain(str(error))
        leave(error.code)
    except KeyboardInterrupt:
        leave(130)

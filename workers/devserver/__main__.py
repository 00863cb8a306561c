"""`python -m forerun.workers.devserver`: find or get the Temporal CLI and print its path."""

from __future__ import annotations

import os
import sys

from forerun.workers.devserver import DevServerError, find_cli


def main() -> int:
    """Print the path on stdout; progress and failure go to stderr."""
    try:
        cli = find_cli(os.environ, sys.stderr)
    except DevServerError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{cli}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

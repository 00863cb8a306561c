"""Is this file a Temporal CLI that forerun can use? Only running it tells.

What counts is the server inside: below 1.31 it has no activity priorities and cannot change the
options of a running activity, which is how a speculation is promoted.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from forerun.workers.devserver.failure import CliUnusable

MINIMUM_SERVER = (1, 31)
VERSION_SECONDS = 20.0


def check_cli(cli: Path) -> None:
    """Raise `CliUnusable` unless `cli` runs and contains a server that is new enough."""
    output = _version_output(cli)
    found = re.search(r"\(Server (\d+)\.(\d+)\.\S+?[,)]", output)
    if found is None:
        raise CliUnusable(f"{cli} names no server version; its --version says {output[:80]!r}")
    if (int(found[1]), int(found[2])) < MINIMUM_SERVER:
        needed = ".".join(map(str, MINIMUM_SERVER))
        raise CliUnusable(f"{cli} contains server {found[1]}.{found[2]}, older than {needed}")


def _version_output(cli: Path) -> str:
    try:
        done = subprocess.run(
            [cli, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=VERSION_SECONDS,
        )
    except OSError as error:
        raise CliUnusable(f"{cli} does not run ({error.strerror})") from error
    except subprocess.TimeoutExpired as error:
        raise CliUnusable(f"{cli} --version did not end in {VERSION_SECONDS:.0f} s") from error
    if done.returncode:
        raise CliUnusable(f"{cli} --version failed with exit code {done.returncode}")
    return done.stdout.strip()

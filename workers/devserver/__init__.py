"""A Temporal server for one machine: the CLI that contains it, and the child process it runs as."""

from __future__ import annotations

from forerun.workers.devserver.cli_search import find_cli
from forerun.workers.devserver.failure import DevServerError
from forerun.workers.devserver.server import DevServer

__all__ = ["DevServer", "DevServerError", "find_cli"]

"""Loopback ports: pick a free one, or make sure that a chosen one can be had."""

from __future__ import annotations

import asyncio
import errno
import socket
from contextlib import closing

from forerun.workers.devserver.failure import DevServerError

HOST = "127.0.0.1"
GRACE_SECONDS = 2.0  # a server that was just killed still holds its ports for a moment
POLL_SECONDS = 0.05


def free_port() -> int:
    """A port that nobody listens on and that the kernel will not hand out again for a minute.

    The minute comes from a connection closed by the listening side: it leaves the port in
    TIME_WAIT. Without it the server's own search for free ports may hit on the one picked here.
    """
    with closing(socket.create_server((HOST, 0))) as listener:
        port: int = listener.getsockname()[1]
        with closing(socket.create_connection((HOST, port))):
            listener.accept()[0].close()
        return port


async def check_port(port: int, *, flag: str) -> None:
    """Raise `DevServerError`, naming the port and the `flag` that changes it, if it is taken."""
    deadline = asyncio.get_running_loop().time() + GRACE_SECONDS
    while reason := _refusal(port):
        if asyncio.get_running_loop().time() >= deadline:
            raise DevServerError(f"port {port} {reason}: choose another one with {flag}")
        await asyncio.sleep(POLL_SECONDS)


def _refusal(port: int) -> str | None:
    try:
        # create_server sets SO_REUSEADDR on POSIX, so connections in TIME_WAIT don't count.
        socket.create_server((HOST, port)).close()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return f"on {HOST} is in use by another process"
        return f"on {HOST} cannot be opened ({error.strerror})"
    return None

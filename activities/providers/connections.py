"""The HTTP connections of an adapter: one pool per provider and process."""

from __future__ import annotations

import ipaddress

import httpx2

CONNECT_SECONDS = 5.0
SILENCE_SECONDS = 120.0
"""How long a stream may say nothing. A reasoning model is silent for tens of seconds; the duration
of a whole call is bounded by its activity's timeout."""


def http_client(base_url: str, silence_seconds: float) -> httpx2.AsyncClient:
    """A pool for `base_url`, with room for as many streams as a worker runs.

    A server on this machine is never looked for behind a proxy.
    """
    return httpx2.AsyncClient(
        timeout=httpx2.Timeout(silence_seconds, connect=CONNECT_SECONDS),
        limits=httpx2.Limits(max_connections=1000, max_keepalive_connections=100),
        follow_redirects=True,
        trust_env=not _is_loopback(httpx2.URL(base_url).host),
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

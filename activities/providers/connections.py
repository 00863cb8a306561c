"""The HTTP connections of an adapter: one pool per provider and process."""

from __future__ import annotations

import ipaddress

import httpx2

CONNECT_SECONDS = 5.0
SILENCE_SECONDS = 120.0
"""How long a stream may say nothing. A reasoning model is silent for tens of seconds; the duration
of a whole call is bounded by its activity's timeout."""


IN_FLIGHT_MS = 50
"""From the last token we read until the provider has stopped: a round trip within a continent, and
the step that its engine is in. Ours: nobody reports it."""


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


def in_flight_ms(host: str) -> int:
    """How long a provider at `host` goes on for nobody; one on this machine notices at once."""
    return 0 if _is_loopback(host) else IN_FLIGHT_MS


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

"""`http.get`: reads from hosts that the worker's owner has listed, and from nowhere else.

A URL may come from a model, so the list is checked twice: the host by its name, and then every
address it resolves to. The connection goes to the checked address itself, because a second lookup
could answer differently. Redirects are not followed: the list would not hold for where they lead.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import httpx2
from temporalio.exceptions import ApplicationError

from forerun.activities.registration import Arguments, operation
from forerun.speculation.effect_class import EffectClass

MAX_BODY_BYTES = 256 * 1024
DEADLINE_SECONDS = 30.0
HTTP_REFUSED = "HttpRefused"
HTTP_STATUS = "HttpStatus"

_DEFAULT_PORTS = {"http": 80, "https": 443}
_RETRYABLE = frozenset({408, 425, 429, 500, 502, 503, 504})
# Public by their form, but they carry a packet to the IPv4 address inside.
_TUNNELS = [ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("2002::/16")]


class HttpGetUrl(Arguments):
    """What to read."""

    url: str


class HttpGet:
    """`http.get` for the hosts in `allowed`.

    An entry is `host` (ports 80 and 443) or `host:port`. Private, loopback and link-local addresses
    are refused unless the address itself is listed with its port, as `127.0.0.1:8080`.

    Raises:
        ValueError: an entry that is no host.
    """

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        self._allowed = frozenset(place for entry in allowed for place in _places(entry))
        # trust_env=False: a proxy from the environment would resolve the name by itself. No
        # connection is kept, since it would belong to an address and not to the name checked.
        self._client = httpx2.AsyncClient(
            trust_env=False,
            follow_redirects=False,
            timeout=DEADLINE_SECONDS,
            limits=httpx2.Limits(max_keepalive_connections=0),
        )

    @operation("http.get", version="1", effect=EffectClass.READ, timeout_seconds=40)
    async def get(self, arguments: HttpGetUrl) -> dict[str, Any]:
        """`{"status", "content_type", "body"}`: the body parsed where it is JSON, else as text.

        Raises:
            ApplicationError: a URL that is not allowed, a body of more than 256 KB, a status other
                than 2xx; retried only for a status that may pass. Connection errors are retried.
        """
        target = _target(arguments.url)
        if target.place not in self._allowed:
            raise _refusal(f"{target.place} is not on the list; add it to FORERUN_HTTP_ALLOW")
        async with asyncio.timeout(DEADLINE_SECONDS):
            return await self._read(target, await self._address(target))

    async def _address(self, target: _Target) -> str:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
        addresses = [str(entry[4][0]) for entry in found]
        for address in addresses:
            place = _place(address, target.port)
            if not is_public(address) and place not in self._allowed:
                raise _refusal(
                    f"{target.place} resolves to the private address {address}; if that is meant, "
                    f"add {place} to FORERUN_HTTP_ALLOW"
                )
        return addresses[0]

    async def _read(self, target: _Target, address: str) -> dict[str, Any]:
        request = self._client.build_request(
            "GET",
            target.url.copy_with(host=address),
            headers={"Host": target.url.netloc.decode(), "Accept-Encoding": "identity"},
            extensions={"sni_hostname": target.host},
        )
        response = await self._client.send(request, stream=True)
        try:
            _check_status(target, response)
            return await _content(target, response)
        finally:
            await response.aclose()


def is_public(address: str) -> bool:
    """Whether an IP address leads to the public internet, also by its IPv4-in-IPv6 forms."""
    parsed = ipaddress.ip_address(address)
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    tunnelled = any(parsed in network for network in _TUNNELS)
    return parsed.is_global and not parsed.is_multicast and not tunnelled


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    url: httpx2.URL
    host: str
    port: int

    @property
    def place(self) -> str:
        return _place(self.host, self.port)


def _place(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _places(entry: str) -> list[str]:
    try:
        # A scheme without a default port, or httpx2 would take `host:80` for `host`.
        url = httpx2.URL(f"place://{entry.strip()}")
    except httpx2.InvalidURL:
        url = None
    if url is None or not url.host or url.userinfo or url.raw_path != b"/":
        raise ValueError(f"{entry!r} in FORERUN_HTTP_ALLOW must be `host` or `host:port`")
    ports = _DEFAULT_PORTS.values() if url.port is None else [url.port]
    return [_place(_host(url), port) for port in ports]


def _target(text: str) -> _Target:
    try:
        url = httpx2.URL(text)
    except httpx2.InvalidURL as error:
        raise _refusal(f"the URL is invalid ({error}); write https://host/path") from error
    if url.scheme not in _DEFAULT_PORTS or not url.host:
        raise _refusal("the URL must start with http:// or https:// and a host")
    if url.userinfo:
        raise _refusal("the URL holds a user name or password, which would stay in the history")
    return _Target(url=url, host=_host(url), port=url.port or _DEFAULT_PORTS[url.scheme])


def _host(url: httpx2.URL) -> str:
    return url.raw_host.decode().rstrip(".")


def _check_status(target: _Target, response: httpx2.Response) -> None:
    if response.is_success:
        return
    status = response.status_code
    hint = "; redirects are not followed: ask for the final address" if response.is_redirect else ""
    raise ApplicationError(
        f"http.get: {target.place} answered {status}{hint}",
        type=HTTP_STATUS,
        non_retryable=status not in _RETRYABLE,
    )


async def _content(target: _Target, response: httpx2.Response) -> dict[str, Any]:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise _refusal(f"{target.place} sent more than {MAX_BODY_BYTES} bytes")
    content_type = response.headers.get("content-type", "")
    text = body.decode(response.encoding or "utf-8", errors="replace")
    return {
        "status": response.status_code,
        "content_type": content_type,
        "body": _parsed(text) if "json" in content_type.lower() else text,
    }


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise _refusal(f"the body is not the JSON that its content type says ({error})") from error


def _refusal(problem: str) -> ApplicationError:
    return ApplicationError(f"http.get: {problem}", type=HTTP_REFUSED, non_retryable=True)

"""Listed hosts: the only places that HTTP operations reach.

A URL may come from a model, so the list is checked twice: the host by its name, and then every
address it resolves to. The connection goes to the checked address itself, because a second lookup
could answer differently. Redirects are not followed: the list would not hold for where they lead.

Errors name the host and nothing else of a URL: its path may be a secret.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import socket
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
from temporalio.exceptions import ApplicationError

DEADLINE_SECONDS = 30.0
"""Until the status is there."""
HTTP_REFUSED = "HttpRefused"
HTTP_STATUS = "HttpStatus"

_DEFAULT_PORTS = {"http": 80, "https": 443}
_RETRYABLE = frozenset({408, 425, 429, 500, 502, 503, 504})

# The internet is inside of this, whatever the standard library says: it takes `::127.0.0.1` and
# `64:ff9b:1::127.0.0.1` for global addresses, and both may end at a loopback.
_IPV6_INTERNET = ipaddress.ip_network("2000::/3")
# Global by their form, but tunnels and relays carry their packets to some other address.
_TUNNELS = [ipaddress.ip_network("2002::/16"), ipaddress.ip_network("192.88.99.0/24")]


class UnreadableBody(Exception):
    """The body of an answer is too long, or not what its headers say."""


class ListedHosts:
    """A client of the hosts in `allowed`, for the operation of that name.

    An entry is `host` (ports 80 and 443) or `host:port`. Private, loopback and link-local addresses
    are refused unless the address itself is listed with its port, as `127.0.0.1:8080`.

    Raises:
        ValueError: an entry that is no host.
    """

    def __init__(self, operation: str, allowed: Iterable[str]) -> None:
        self._operation = operation
        self._allowed = frozenset(place for entry in allowed for place in _places(entry))
        # trust_env=False: a proxy from the environment would resolve the name by itself. No
        # connection is kept, since it would belong to an address and not to the name checked.
        self._client = httpx2.AsyncClient(
            trust_env=False,
            follow_redirects=False,
            timeout=DEADLINE_SECONDS,
            limits=httpx2.Limits(max_keepalive_connections=0),
        )

    @asynccontextmanager
    async def answer(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> AsyncGenerator[Answer]:
        """The answer with a status of 2xx, its body not read yet.

        Raises:
            ApplicationError: a URL that is not allowed, or another status; retried only for a
                status that may pass. Connection errors and the deadline are retried.
        """
        target = self._target(url)
        async with asyncio.timeout(DEADLINE_SECONDS):
            request = self._client.build_request(
                method,
                target.url.copy_with(host=await self._address(target)),
                headers={
                    **(headers or {}),
                    "Host": target.url.netloc.decode(),
                    "Accept-Encoding": "identity",
                },
                content=content,
                extensions={"sni_hostname": target.host},
            )
            response = await self._client.send(request, stream=True)
        try:
            self._check_status(target, response)
            yield Answer(response)
        finally:
            await response.aclose()

    def refusal(self, problem: str) -> ApplicationError:
        """The error of a call that no other attempt would help."""
        message = f"{self._operation}: {problem}"
        return ApplicationError(message, type=HTTP_REFUSED, non_retryable=True)

    def _target(self, text: str) -> _Target:
        try:
            url = httpx2.URL(text)
        except httpx2.InvalidURL as error:
            raise self.refusal(f"the URL is invalid ({error}); write https://host/path") from None
        if url.scheme not in _DEFAULT_PORTS or not url.host:
            raise self.refusal("the URL must start with http:// or https:// and a host")
        if url.userinfo:
            problem = "the URL holds a user name or password, which would stay in the history"
            raise self.refusal(problem)
        port = _DEFAULT_PORTS[url.scheme] if url.port is None else url.port
        target = _Target(url=url, host=_host(url), port=port)
        if target.place not in self._allowed:
            raise self.refusal(f"{target.place} is not on the list; add it to FORERUN_HTTP_ALLOW")
        return target

    async def _address(self, target: _Target) -> str:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
        addresses = [str(entry[4][0]) for entry in found]
        for address in addresses:
            place = _place(address, target.port)
            if not is_public(address) and place not in self._allowed:
                raise self.refusal(
                    f"{target.place} resolves to the private address {address}; if that is meant, "
                    f"add {place} to FORERUN_HTTP_ALLOW"
                )
        return addresses[0]

    def _check_status(self, target: _Target, response: httpx2.Response) -> None:
        if response.is_success:
            return
        status = response.status_code
        moved = "; redirects are not followed: ask for the final address"
        raise ApplicationError(
            f"{self._operation}: {target.place} answered {status}{moved * response.is_redirect}",
            type=HTTP_STATUS,
            non_retryable=status not in _RETRYABLE,
        )


class Answer:
    """A successful answer."""

    def __init__(self, response: httpx2.Response) -> None:
        self._response = response
        self.status = response.status_code
        self.content_type = response.headers.get("content-type", "")

    async def body(self, *, most_bytes: int, seconds: float) -> Any:
        """The body, parsed where it is JSON, else as text.

        Raises:
            UnreadableBody: too long, compressed, or not the JSON that its content type says.
            TimeoutError: it took longer.
            httpx2.HTTPError: the connection broke.
        """
        if self._response.headers.get("content-encoding", "identity").lower() != "identity":
            raise UnreadableBody("sent a compressed body that nobody had asked for")
        body = bytearray()
        async with asyncio.timeout(seconds):
            async for chunk in self._response.aiter_raw():
                body += chunk
                if len(body) > most_bytes:
                    raise UnreadableBody(f"sent more than {most_bytes} bytes")
        text = body.decode(self._response.encoding or "utf-8", errors="replace")
        return _parsed(text) if "json" in self.content_type.lower() else text


def is_public(address: str) -> bool:
    """Whether an IP address leads to the public internet, also by its IPv4-in-IPv6 forms."""
    parsed = ipaddress.ip_address(address)
    if isinstance(parsed, ipaddress.IPv6Address):
        parsed = parsed.ipv4_mapped or parsed
    if parsed.version == 6 and parsed not in _IPV6_INTERNET:
        return False
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


def _host(url: httpx2.URL) -> str:
    return url.raw_host.decode().rstrip(".")


def _parsed(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        problem = f"sent a body that is not the JSON that its content type says ({error})"
        raise UnreadableBody(problem) from None


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")

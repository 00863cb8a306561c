"""Both HTTP operations connect to addresses that are public or listed themselves, and were checked.

Every test of a request runs for `http.get` and for `http.post`: a way around is one for both.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from forerun.activities.http_hosts import is_public
from tests.activities.http_calls import Method, by_either, call, refused
from tests.activities.http_server import Server, answer


@by_either
async def test_private_addresses_must_be_listed_themselves(method: Method) -> None:
    """A listed name that leads to loopback is refused, unless the address is listed too."""
    async with Server(answer(b"in")).running() as it:
        name = f"localhost:{it.port}"
        message = await refused(method, f"http://{name}/", name)
        assert "private address" in message
        assert it.requests == []
        got = await call(method, f"http://{name}/", name, it.place, f"[::1]:{it.port}")
        assert got["body"] == "in"
        assert it.requests[0].header("host") == name


def resolving(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    """Let every name resolve to these addresses; the names that were asked for."""
    asked: list[str] = []

    async def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (it, port)) for it in addresses]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
    return asked


@by_either
async def test_one_private_address_is_enough(
    method: Method, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name with public addresses and a private one is refused whole."""
    resolving(monkeypatch, "8.8.8.8", "10.0.0.1")
    message = await refused(method, "http://example.org/", "example.org")
    assert "resolves to the private address 10.0.0.1" in message


@by_either
async def test_names_are_resolved_once(method: Method, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection goes to the address that was checked: a second answer is never asked for."""
    async with Server(answer(b"in")).running() as it:
        asked = resolving(monkeypatch, "127.0.0.1")
        name = f"rebound.example:{it.port}"
        assert (await call(method, f"http://{name}/", name, it.place))["body"] == "in"
    # The transport asks for the address itself, which leads nowhere else.
    assert asked.count("rebound.example") == 1
    assert set(asked) <= {"rebound.example", "127.0.0.1"}


@by_either
async def test_proxies_of_the_environment_are_not_used(
    method: Method, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy would resolve the name by itself, and reach what is not listed."""
    async with Server(answer(b"proxy")).running() as proxy, Server(answer(b"in")).running() as it:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://{proxy.place}")
        assert (await call(method, f"http://{it.place}/", it.place))["body"] == "in"
    assert proxy.requests == []


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1",
        "169.254.169.254",
        "192.168.1.1",
        "172.16.0.1",
        "100.64.0.1",
        "198.18.0.1",
        "192.88.99.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:0:127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::7f00:1",
        "2002:7f00:1::",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "2001:db8::1",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "fd00::1",
        "ff02::1",
        "5f00::1",
        "100::1",
    ],
)
def test_private_addresses(address: str) -> None:
    """No spelling of an address that is not on the public internet counts as public."""
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8"])
def test_public_addresses(address: str) -> None:
    """Ordinary addresses do count."""
    assert is_public(address)

"""Both HTTP operations reach listed hosts only, at addresses that are public or listed themselves.

Every test runs for `http.get` and for `http.post`: a way around the list for one is one for both.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Any, Literal

import pytest
from temporalio.exceptions import ApplicationError

from forerun.activities.effects.http_post import HttpPost, HttpPostBody
from forerun.activities.http_get import HttpGet, HttpGetUrl
from forerun.activities.http_hosts import HTTP_REFUSED, HTTP_STATUS, is_public
from forerun.activities.registration import Commit
from tests.activities.http_server import Server, answer

Method = Literal["get", "post"]

COMMIT = Commit(
    idempotency_key="flow/run/send",
    digest="0" * 64,
    intent="send",
    workflow_id="flow",
    run_id="run",
    approved_by="ann",
)


@pytest.fixture(params=["get", "post"])
def method(request: pytest.FixtureRequest) -> Method:
    return request.param


async def call(method: Method, url: str, *allowed: str) -> dict[str, Any]:
    if method == "get":
        return await HttpGet(allowed).get(HttpGetUrl(url=url))
    return await HttpPost(allowed).post(HttpPostBody(url=url, body={"n": 1}), COMMIT)


async def refused(method: Method, url: str, *allowed: str) -> str:
    with pytest.raises(ApplicationError) as raised:
        await call(method, url, *allowed)
    assert (raised.value.type, raised.value.non_retryable) == (HTTP_REFUSED, True)
    assert raised.value.message.startswith(f"http.{method}: ")
    assert "\n" not in raised.value.message
    return raised.value.message


async def test_listed(method: Method) -> None:
    """What is listed is reached, under its own name, and both default ports are a host's."""
    async with Server(answer(b"in")).running() as it:
        assert (await call(method, f"http://{it.place}/a?b=c", it.place))["body"] == "in"
    (request,) = it.requests
    assert request.head.startswith(f"{method.upper()} /a?b=c HTTP/1.1\r\n")
    assert request.header("host") == it.place


@pytest.mark.parametrize(
    "url",
    [
        "https://nowhere.invalid/x",
        "http://example.org:81/",
        "http://example.org:0/",
        "http://example.org.evil.invalid/",
        "http://evil.invalid/example.org",
        "http://evil.invalid/?@example.org",
        "http://evil.invalid#@example.org/",
        "http://example.org%2eevil.invalid/",
        "http://example.org%00.evil.invalid/",
        "http://example.org\u3002evil.invalid/",
        "http://sub.example.org/",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::1%25lo]/",
        "http://localhost/",
        "http://localhost./",
        "http://169.254.169.254/latest/meta-data/",
        "http://metadata.google.internal/",
    ],
)
async def test_hosts_must_be_listed(method: Method, url: str) -> None:
    """Without an entry for the very host and port nothing is even resolved."""
    assert "is not on the list; add it to" in await refused(method, url, "example.org")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.org",
        "ftp://example.org/",
        "file:///etc/passwd",
        "gopher://example.org/",
        "http://",
        "http:example.org",
        "http://[::1",
        "//example.org/",
        "http://example.org:80:81/",
        "http://example.org/\r\nHost: evil.invalid",
        "http://exa\nmple.org/",
        "http://\uff45xample.org/",
        "http://" + "a" * 70_000,
    ],
)
async def test_bad_urls(method: Method, url: str) -> None:
    """Only absolute http and https URLs are URLs here, and none smuggles a header."""
    assert "URL" in await refused(method, url, "example.org")


@pytest.mark.parametrize(
    "url",
    [
        "http://me:hunter2@example.org/",
        "http://hunter2@example.org/",
        "http://example.org\\:hunter2@evil.invalid/",
        "http://me:hunter2@evil.invalid:99999/",
    ],
)
async def test_credentials_are_refused_and_not_repeated(method: Method, url: str) -> None:
    """A URL with a password is refused, and the message does not hold it."""
    assert "hunter2" not in await refused(method, url, "example.org")


async def test_errors_do_not_repeat_the_url(method: Method) -> None:
    """A path or a query may be a secret: no failure names more than the host."""
    closed = Server(b"")
    async with closed.running():
        pass
    for reply in (answer(b"", status="403 Forbidden"), b"nonsense", b""):
        async with Server(reply).running() as it:
            for server in (it, closed):
                with pytest.raises(Exception, match=r".") as raised:
                    await call(method, f"http://{server.place}/hunter2?k=hunter2", server.place)
                assert "hunter2" not in str(raised.value)
        assert len(it.requests) == 1


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


async def test_one_private_address_is_enough(
    method: Method, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name with public addresses and a private one is refused whole."""
    resolving(monkeypatch, "8.8.8.8", "10.0.0.1")
    message = await refused(method, "http://example.org/", "example.org")
    assert "resolves to the private address 10.0.0.1" in message


async def test_names_are_resolved_once(method: Method, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection goes to the address that was checked: a second answer is never asked for."""
    async with Server(answer(b"in")).running() as it:
        asked = resolving(monkeypatch, "127.0.0.1")
        name = f"rebound.example:{it.port}"
        assert (await call(method, f"http://{name}/", name, it.place))["body"] == "in"
    # The transport asks for the address itself, which leads nowhere else.
    assert asked.count("rebound.example") == 1
    assert set(asked) <= {"rebound.example", "127.0.0.1"}


async def test_proxies_of_the_environment_are_not_used(
    method: Method, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy would resolve the name by itself, and reach what is not listed."""
    async with Server(answer(b"proxy")).running() as proxy, Server(answer(b"in")).running() as it:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://{proxy.place}")
        assert (await call(method, f"http://{it.place}/", it.place))["body"] == "in"
    assert proxy.requests == []


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Moved", "308 Moved"])
async def test_redirects_are_not_followed(method: Method, status: str) -> None:
    """A redirect, even to a listed host, fails the call for good and says what to do instead."""
    async with Server(answer(b"in")).running() as elsewhere:
        moved = answer(b"", status=status, more=f"Location: http://{elsewhere.place}/\r\n")
        async with Server(moved).running() as it:
            with pytest.raises(ApplicationError, match="redirects are not followed") as raised:
                await call(method, f"http://{it.place}/", it.place, elsewhere.place)
    assert (raised.value.type, raised.value.non_retryable) == (HTTP_STATUS, True)
    assert elsewhere.requests == []


@pytest.mark.parametrize(
    ("status", "final"),
    [
        ("400 Bad Request", True),
        ("404 Not Found", True),
        ("422 Unprocessable", True),
        ("429 Too Many Requests", False),
        ("503 Unavailable", False),
    ],
)
async def test_failures(method: Method, status: str, *, final: bool) -> None:
    """A status that may pass is retried, any other is not."""
    async with Server(answer(b"", status=status)).running() as it:
        with pytest.raises(ApplicationError, match=f"answered {status[:3]}") as raised:
            await call(method, f"http://{it.place}/", it.place)
    assert raised.value.non_retryable is final


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


@pytest.mark.parametrize("entry", ["", " ", "http://example.org", "example.org/x", "a@b", "h:x"])
def test_bad_entries(entry: str) -> None:
    """An allow-list entry that is no host is an error when the worker starts."""
    for operation in (HttpGet, HttpPost):
        with pytest.raises(ValueError, match="must be `host` or `host:port`"):
            operation([entry])


def test_entries() -> None:
    """A host without a port stands for both default ports; case and accents are normalised."""
    HttpGet(["example.org", "EXAMPLE.org:8080", "[::1]:80", "bücher.example"])

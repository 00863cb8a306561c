"""Both HTTP operations reach listed hosts only, by no detour, and repeat no URL in an error.

Every test of a request runs for `http.get` and for `http.post`: a way around is one for both.
"""

from __future__ import annotations

import pytest
from temporalio.exceptions import ApplicationError

from forerun.activities.effects.http_post import HttpPost
from forerun.activities.http_get import HttpGet
from forerun.activities.http_hosts import HTTP_STATUS
from tests.activities.http_calls import Method, by_either, call, refused
from tests.activities.http_server import Server, answer


@by_either
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
@by_either
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
@by_either
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
@by_either
async def test_credentials_are_refused_and_not_repeated(method: Method, url: str) -> None:
    """A URL with a password is refused, and the message does not hold it."""
    assert "hunter2" not in await refused(method, url, "example.org")


@by_either
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


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Moved", "308 Moved"])
@by_either
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
@by_either
async def test_failures(method: Method, status: str, *, final: bool) -> None:
    """A status that may pass is retried, any other is not."""
    async with Server(answer(b"", status=status)).running() as it:
        with pytest.raises(ApplicationError, match=f"answered {status[:3]}") as raised:
            await call(method, f"http://{it.place}/", it.place)
    assert raised.value.non_retryable is final


@pytest.mark.parametrize("entry", ["", " ", "http://example.org", "example.org/x", "a@b", "h:x"])
def test_bad_entries(entry: str) -> None:
    """An allow-list entry that is no host is an error when the worker starts."""
    for operation in (HttpGet, HttpPost):
        with pytest.raises(ValueError, match="must be `host` or `host:port`"):
            operation([entry])


def test_entries() -> None:
    """A host without a port stands for both default ports; case and accents are normalised."""
    HttpGet(["example.org", "EXAMPLE.org:8080", "[::1]:80", "bücher.example"])

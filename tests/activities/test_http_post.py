"""`http.post`: once where the server remembers its keys, at least once where it does not.

Two real servers are posted to, through the commit worker and its retries. What happened is what
they did, not what they were asked for.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client

from forerun.activities.effects.http_post import HttpPost, HttpPostBody, header_of
from forerun.activities.http_hosts import HTTP_STATUS
from forerun.activities.registration import Commit
from tests.activities.commit_house import House, said, wish
from tests.activities.http_server import Request, Server, answer


class Shop:
    """Takes orders. `remembers`: a key that it has seen gets the answer of the first time.

    The answers to the first `lost` orders never arrive.
    """

    def __init__(self, *, remembers: bool, lost: int = 0) -> None:
        self.orders: list[Any] = []
        self._remembers = remembers
        self._lost = lost
        self._seen: dict[str, Request] = {}

    def reply(self, request: Request) -> bytes:
        key = request.header("idempotency-key")
        seen = self._seen.setdefault(key, request) if self._remembers else request
        if seen.body != request.body:
            return answer(b"another order", status="422 Unprocessable")
        if seen is request:
            self.orders.append(json.loads(request.body))
        if len(self.orders) <= self._lost and seen is request:
            return b""
        return answer(b'{"order": 7}', kind="application/json", status="201 Created")


def order(server: Server, n: int = 1) -> dict[str, Any]:
    return {"url": f"http://{server.place}/orders", "body": {"n": n, "what": "tea"}}


@pytest.mark.parametrize(("remembers", "orders"), [(True, 1), (False, 2)])
async def test_lost_answer(
    temporal_client: Client, tmp_path: Path, *, remembers: bool, orders: int
) -> None:
    """An answer that is lost makes one order where keys are remembered, two where they are not."""
    shop = Shop(remembers=remembers, lost=1)
    async with Server(shop.reply).running() as server:
        house = House(temporal_client, tmp_path / "outbox", HttpPost([server.place]))
        request = wish("http.post", order(server))
        (receipt,) = await house.run(request, signals=[said("approve", "ann")])
    assert receipt.receipt == {
        "status": 201,
        "content_type": "application/json",
        "body": {"order": 7},
    }
    assert receipt.bill.attempts == 2
    assert shop.orders == [{"n": 1, "what": "tea"}] * orders
    first, second = server.requests
    assert first.header("idempotency-key") == receipt.idempotency_key
    assert (first.head, first.body) == (second.head, second.body)


async def test_not_without_approval(temporal_client: Client, tmp_path: Path) -> None:
    """Nothing is sent before somebody has approved it."""
    async with Server(Shop(remembers=True).reply).running() as server:
        house = House(temporal_client, tmp_path / "outbox", HttpPost([server.place]))
        await house.refusal(wish("http.post", order(server)))
    assert server.requests == []


def commit_of(key: str = "flow/run/send") -> Commit:
    return Commit(
        idempotency_key=key,
        digest="0" * 64,
        intent="send",
        workflow_id="flow",
        run_id="run",
        approved_by="ann",
    )


async def post(server: Server, n: int = 1, key: str = "flow/run/send") -> dict[str, Any]:
    effect = HttpPost([server.place])
    return await effect.post(HttpPostBody(**order(server, n)), commit_of(key))


async def test_same_key_other_arguments() -> None:
    """A server that remembers keys refuses another order under the same one, for good."""
    shop = Shop(remembers=True)
    async with Server(shop.reply).running() as server:
        await post(server)
        with pytest.raises(Exception, match="answered 422") as raised:
            await post(server, n=2)
        await post(server, n=2, key="flow/run/other")
    assert (getattr(raised.value, "type", None), len(shop.orders)) == (HTTP_STATUS, 2)


@pytest.mark.parametrize(
    "reply",
    [
        answer(b"x" * 20_000),
        answer(b"<html>", kind="application/json"),
        answer(b"x" * 10)[:-5],
        answer(b"x", more="Content-Encoding: gzip\r\n"),
    ],
)
async def test_receipt_without_a_body(reply: bytes) -> None:
    """After the status it has happened: a body that cannot be kept is left out, never asked again."""
    async with Server(reply).running() as server:
        receipt = await post(server)
    assert (receipt["status"], receipt["body"]) == (200, None)
    assert len(server.requests) == 1


def test_keys_fit_into_a_header() -> None:
    """Any key is a header of printable ASCII; ordinary ones as they are, and none like another."""
    assert header_of("order:7/0198-a/send[0]") == "order:7/0198-a/send[0]"
    odd = ["größe/run/send", "a b/run/send", "a%20b/run/send", "a\r\nHost: x/run/send", "a\tb"]
    headers = [header_of(key) for key in odd]
    assert len(set(headers)) == len(odd)
    assert all(
        header.isascii() and header.isprintable() and " " not in header for header in headers
    )

"""A request by either HTTP operation, and how it is refused."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from temporalio.exceptions import ApplicationError

from forerun.activities.effects.http_post import HttpPost, HttpPostBody
from forerun.activities.http_get import HttpGet, HttpGetUrl
from forerun.activities.http_hosts import HTTP_REFUSED
from forerun.activities.registration import Commit

Method = Literal["get", "post"]

by_either = pytest.mark.parametrize("method", ["get", "post"])
"""Runs a test for both operations, each as its `method`."""

COMMIT = Commit(
    idempotency_key="flow/run/send",
    digest="0" * 64,
    intent="send",
    workflow_id="flow",
    run_id="run",
    approved_by="ann",
)


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

"""One stand-in server for these tests, emptied before each, and the vendors' SDKs pointed at it."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest
from anthropic import AsyncAnthropic
from openai import AsyncOpenAI

from forerun.workers.standin.serve import StandIn
from tests.workers.standin.callers import Api, ChatApi, MessagesApi, ResponsesApi


@pytest.fixture(name="server", scope="session")
async def _server() -> AsyncGenerator[StandIn]:
    async with StandIn.serve() as server:
        yield server


@pytest.fixture(name="standin")
async def _standin(server: StandIn) -> StandIn:
    await server.idle()
    server.set_rules([])
    server.clear_requests()
    return server


@pytest.fixture(name="openai_client", scope="session")
async def _openai_client(server: StandIn) -> AsyncGenerator[AsyncOpenAI]:
    base = server.openai_base_url
    async with AsyncOpenAI(base_url=base, api_key="any", max_retries=0) as client:
        yield client


@pytest.fixture(name="anthropic_client", scope="session")
async def _anthropic_client(server: StandIn) -> AsyncGenerator[AsyncAnthropic]:
    base = server.anthropic_base_url
    async with AsyncAnthropic(base_url=base, api_key="any", max_retries=0) as client:
        yield client


@pytest.fixture(name="patience")
def _patience() -> float:
    """Seconds of silence after which the clients give up; a test of silence sets its own."""
    return 20


@pytest.fixture(name="openai")
def _openai(openai_client: AsyncOpenAI, patience: float) -> AsyncOpenAI:
    return openai_client.with_options(timeout=patience)


@pytest.fixture(name="anthropic")
def _anthropic(anthropic_client: AsyncAnthropic, patience: float) -> AsyncAnthropic:
    return anthropic_client.with_options(timeout=patience)


@pytest.fixture(name="apis")
def _apis(openai: AsyncOpenAI, anthropic: AsyncAnthropic) -> dict[str, Api]:
    return {
        "chat": ChatApi(openai),
        "responses": ResponsesApi(openai),
        "messages": MessagesApi(anthropic),
    }


@pytest.fixture(name="api", params=["chat", "responses", "messages"])
def _api(request: pytest.FixtureRequest, apis: dict[str, Api]) -> Api:
    return apis[request.param]

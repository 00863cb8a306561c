"""One server and one set of workers for many runs at once, a stand-in of its own for each run.

The stand-ins must not be shared: how often a fault has struck is a fact about one run. What tells
the runs apart is who asks, not what is asked: both runs of a pair send the very same prompts.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from temporalio import activity
from temporalio.client import Client

from forerun.activities import builtin_tools
from forerun.activities.effects.outbox import Outbox
from forerun.activities.equivalence import EquivalenceChecks
from forerun.activities.model_call import ModelCalls
from forerun.activities.price_lookup import CancelPolicies
from forerun.activities.prices import PriceBook
from forerun.activities.provider import Delta, Finished, Opened, Prompt, Provider
from forerun.activities.providers.anthropic import AnthropicProvider
from forerun.activities.providers.openai import OpenAIProvider
from forerun.activities.registry import Registry
from forerun.workers.devserver import DevServer
from forerun.workers.fleet import Fleet
from forerun.workers.plugin import forerun_plugin
from forerun.workers.roles import Parts, Role
from forerun.workers.standin.serve import StandIn
from tests.harness import Stack
from tests.lossless import tollgate

KEY = "stand-in"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """A stand-in and the providers that speak to it."""

    standin: StandIn
    providers: Mapping[str, Provider]


class Seated:
    """A vendor as every run sees it: the stand-in of the run that asks."""

    def __init__(self, vendor: str, seats: Mapping[str, Seat]) -> None:
        self._vendor = vendor
        self._seats = seats

    def stream(self, prompt: Prompt) -> AsyncGenerator[Opened | Delta | Finished, None]:
        """The answer of that stand-in."""
        run = activity.info().workflow_id or ""
        return self._seats[run].providers[self._vendor].stream(prompt)

    async def aclose(self) -> None:
        """The seats close their own."""


class House:
    """Where runs live; get one from `House.open`."""

    def __init__(self, client: Client, outbox: Path) -> None:
        self.client = client
        self._outbox = outbox
        self._free: asyncio.Queue[Seat] = asyncio.Queue()
        self._seats: dict[str, Seat] = {}

    @staticmethod
    @asynccontextmanager
    async def open(cli: Path, folder: Path, *, runs: int) -> AsyncGenerator[House]:
        """Room for `runs` runs at once; what they commit goes into `folder`."""
        async with AsyncExitStack() as stack:
            server = await stack.enter_async_context(DevServer.start(cli=cli, ui=False))
            client = await Client.connect(server.address, plugins=[forerun_plugin()])
            house = House(client, folder / "outbox.sqlite3")
            for _ in range(runs):
                house._free.put_nowait(await stack.enter_async_context(_seat()))
            parts = house._parts()
            await stack.enter_async_context(Fleet.start(client, parts, list(Role)))
            yield house

    @asynccontextmanager
    async def stack(self, workflow_id: str, rules: list[dict[str, Any]]) -> AsyncGenerator[Stack]:
        """All that the run `workflow_id` needs; waits until there is room for it."""
        seat = await self._free.get()
        seat.standin.set_rules(rules)
        seat.standin.clear_requests()
        self._seats[workflow_id] = seat
        try:
            yield Stack(client=self.client, standin=seat.standin, outbox=self._outbox)
        finally:
            self._free.put_nowait(seat)

    def _parts(self) -> Parts:
        prices, cancel_billing = PriceBook(), CancelPolicies()
        providers = {vendor: Seated(vendor, self._seats) for vendor in ("openai", "anthropic")}
        return Parts(
            registry=Registry.of(builtin_tools, tollgate, Outbox(f"sqlite:///{self._outbox}")),
            prices=prices,
            cancel_billing=cancel_billing,
            model_calls=ModelCalls(
                providers=providers, prices=prices, cancel_billing=cancel_billing
            ),
            equivalence_checks=EquivalenceChecks(prices=prices),
        )


@asynccontextmanager
async def _seat() -> AsyncGenerator[Seat]:
    async with StandIn.serve() as standin:
        openai = OpenAIProvider(api_key=KEY, base_url=standin.openai_base_url)
        anthropic = AnthropicProvider(api_key=KEY, base_url=standin.anthropic_base_url)
        try:
            yield Seat(standin=standin, providers={"openai": openai, "anthropic": anthropic})
        finally:
            await openai.aclose()
            await anthropic.aclose()

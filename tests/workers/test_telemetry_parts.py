"""The parts of telemetry that need no run: its settings, and what one attempt has cost."""

from __future__ import annotations

import socket
import sys
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forerun.activities.call_result import Bill, Completed
from forerun.speculation.billing import exact_cost
from forerun.speculation.pricing import Usage
from forerun.workers.connection import Server
from forerun.workers.devserver.ports import HOST
from forerun.workers.settings import Settings, SettingsError
from forerun.workers.telemetry.attempt import returned
from forerun.workers.telemetry.config import Telemetry
from forerun.workers.telemetry.place import is_ahead, node_of


async def test_an_address_that_is_taken_is_one_line() -> None:
    """With the variable that named it."""
    with socket.create_server((HOST, 0)) as listener:
        taken = f"{HOST}:{listener.getsockname()[1]}"
        with pytest.raises(SettingsError, match=rf"FORERUN_METRICS.*{taken}.*another port"):
            await Server.at("localhost:1").connect(Telemetry(metrics=taken))


def test_traces_need_their_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """And say so, where they are asked for without it."""
    monkeypatch.delitem(sys.modules, "forerun.workers.telemetry.traces", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    settings = Settings.from_env({"HOME": "/nowhere", "FORERUN_TRACES": "http://localhost:4318"})

    with pytest.raises(SettingsError, match=r"FORERUN_TRACES needs .*forerun\[otel\]"):
        Telemetry.of(settings)


@pytest.mark.parametrize("address", ["9464", ":9464", "here:9464", "127.0.0.1:0", "127.0.0.1:x"])
def test_a_bad_address_is_one_line(address: str) -> None:
    """The SDK would say less, and later."""
    with pytest.raises(SettingsError, match=r"FORERUN_METRICS=.*write 127\.0\.0\.1:9464"):
        Settings.from_env({"HOME": "/nowhere", "FORERUN_METRICS": address})


@given(
    st.lists(
        st.tuples(st.integers(0, 10**6), st.integers(0, 10**6), st.decimals(0, 10, places=6)),
        min_size=1,
        max_size=5,
    )
)
def test_attempts_add_up_to_the_bill(attempts: list[tuple[int, int, Decimal]]) -> None:
    """Each bill covers the attempts before it; what is counted of each is its own part."""
    earlier: Bill | None = None
    counted = Bill(usage=Usage(), cost=exact_cost(Decimal(0)))
    for input_tokens, output_tokens, usd in attempts:
        usage = Usage(input_tokens=input_tokens, output_tokens=output_tokens)
        whole = Bill(usage=usage, cost=exact_cost(usd))
        if earlier is not None:
            whole = Bill(usage=earlier.usage + usage, cost=earlier.cost + exact_cost(usd))
        own = returned(Completed(output=None, bill=whole, seconds=0), 0, earlier).bill
        assert own is not None
        counted = Bill(usage=counted.usage + own.usage, cost=counted.cost + own.cost)
        earlier = whole

    assert earlier is not None
    assert (counted.usage, counted.cost) == (earlier.usage, earlier.cost)


@pytest.mark.parametrize(
    ("id", "node", "ahead"),
    [
        ("draft", "draft", False),
        ("ahead:draft:12", "draft", True),
        ("ahead:reply[3]:1", "reply[3]", True),
        ("commit:send[0]", "send[0]", False),
        ("guess:classify:2", "classify", False),
        ("compare:summarise@0a1b", "summarise", False),
        ("discard:ahead:send:3", "send", False),
        ("17", None, False),
    ],
)
def test_an_activity_id_tells_its_node(id: str, node: str | None, ahead: bool) -> None:
    """Errands and decisions have numbers, and work for no node."""
    assert (node_of(id), is_ahead(id)) == (node, ahead)

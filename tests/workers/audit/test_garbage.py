"""Whatever a history holds, an audit ends with a report: what it cannot read is a violation."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterator
from typing import Any, cast

from hypothesis import given, settings
from hypothesis import strategies as st
from temporalio.client import WorkflowHistory

from forerun.workers.audit.auditor import audit
from forerun.workers.audit.laws import LAWS
from forerun.workers.audit.reading import read_run
from tests.forging import Forged, value

NAMES = ["hit", "miss", "no_longer_pays", "budget_zero", "node_failure", "bought", "approximation"]
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.just(10**400)
    | st.floats()
    | st.text(max_size=9)
    | st.sampled_from(
        ["1e99999999", "-1", "NaN", "0.5", "launch", "cut", "ahead:draft:2", "\ud800"]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@settings(max_examples=150)
@given(data=st.data())
def test_no_value_in_a_payload_breaks_a_law(data: st.DataObject) -> None:
    """Anything may stand anywhere in any payload."""
    _checked(spoiled(data).history())


@settings(max_examples=30)
@given(data=st.data())
def test_no_value_in_a_payload_breaks_a_replay(data: st.DataObject) -> None:
    """Nor what is compared with it."""
    report = asyncio.run(audit(spoiled(data).history()))

    assert report.replay.state in ("passed", "failed")


def spoiled(data: st.DataObject) -> Forged:
    """A history with something else somewhere in a payload."""
    forged = Forged(data.draw(st.sampled_from(NAMES)))
    payloads = data.draw(st.sampled_from(list(_payloads(forged.events))))
    with value(payloads) as content:
        box = [content]
        _spoil(data, box)
    payloads["payloads"][0]["data"] = base64.b64encode(json.dumps(box[0]).encode()).decode()
    return forged


@settings(max_examples=50)
@given(data=st.data())
def test_no_event_that_is_left_out_breaks_a_law(data: st.DataObject) -> None:
    """Nor do events in another order, or twice."""
    forged = Forged(data.draw(st.sampled_from(NAMES)))
    first, *rest = forged.events
    chosen = data.draw(st.lists(st.sampled_from(range(len(rest))), max_size=len(rest)))
    forged.events = [first, *(rest[index] for index in chosen)]

    _checked(forged.history())


async def test_bytes_that_are_no_json_are_named() -> None:
    """In every payload of a history, one after the other, with replay."""
    for index in range(len(list(_payloads(Forged("hit").events)))):
        forged = Forged("hit")
        list(_payloads(forged.events))[index]["payloads"][0]["data"] = "/////w=="

        report = await audit(forged.history())

        assert report.violations, index


def _checked(history: WorkflowHistory) -> None:
    run, problems = read_run(history)
    for check in LAWS:
        problems += check(run)
    for problem in problems:
        assert "\n" not in str(problem)


def _payloads(found: Any) -> Iterator[dict[str, Any]]:
    """Everything in a history that holds payloads."""
    for inner in _inside(found):
        yield from _payloads(inner)
    if isinstance(found, dict) and "payloads" in found:
        yield cast("dict[str, Any]", found)


def _spoil(data: st.DataObject, holder: Any) -> None:
    """Put something else somewhere into a value."""
    count = len(cast("list[Any]", holder))
    named = list(cast("dict[str, Any]", holder)) if isinstance(holder, dict) else range(count)
    key: Any = data.draw(st.sampled_from(named))
    if _inside(holder[key]) and data.draw(st.integers(0, 5)):
        _spoil(data, holder[key])
    elif isinstance(holder, dict) and data.draw(st.booleans()):
        del holder[key]
    else:
        holder[key] = data.draw(JSON)


def _inside(found: Any) -> list[Any]:
    if isinstance(found, dict):
        return list(cast("dict[str, Any]", found).values())
    return cast("list[Any]", found) if isinstance(found, list) else []

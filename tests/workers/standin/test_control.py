"""The control endpoints: what outside tests drive the stand-in with."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import httpx2
import pytest

from forerun.workers.standin.rules import BadRules
from forerun.workers.standin.serve import StandIn
from tests.workers.standin.callers import Api

GOOD: list[dict[str, Any]] = [
    {"match": "a", "model": "sim-s*", "reply": {"small": [1, None]}, "ttft_ms": 0},
    {"match": "(?i)A$", "reply": "twice", "ttft_ms": 0, "times": 2},
    {"match": "a", "reply": "", "fault": "429", "output_tokens": 3, "tokens_per_second": 12.5},
]


@pytest.fixture(name="http")
async def _http(standin: StandIn) -> AsyncGenerator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=standin.url) as client:
        yield client


async def test_rules_are_shown_as_given(http: httpx2.AsyncClient) -> None:
    """GET shows the rules in force, word for word; POST replaces all of them."""
    assert (await http.get("/_sim/rules")).json() == []

    assert (await http.post("/_sim/rules", json=GOOD)).status_code == 200
    assert (await http.get("/_sim/rules")).json() == GOOD

    assert (await http.post("/_sim/rules", json=GOOD[:1])).json() == GOOD[:1]
    assert (await http.get("/_sim/rules")).json() == GOOD[:1]


async def test_first_match_wins(standin: StandIn, api: Api) -> None:
    """The first rule speaks whose pattern, model glob and `times` allow it."""
    standin.set_rules([*GOOD[:2], {"match": "", "reply": "last", "ttft_ms": 0}])

    assert (await api("a", model="sim-small")).text == '{"small":[1,null]}'
    assert [(await api("A")).text for _ in range(3)] == ["twice", "twice", "last"]
    assert (await api("AB")).text == "last"


async def test_new_rules_count_anew(standin: StandIn, api: Api) -> None:
    """Replacing the rules by themselves gives every `times` back."""
    rules = [{"match": "", "reply": "once", "times": 1, "ttft_ms": 0}]
    fallback = [{"match": "", "reply": "else", "ttft_ms": 0}]
    texts: list[str] = []
    for _ in range(2):
        standin.set_rules(rules + fallback)
        texts += [(await api("x")).text for _ in range(2)]

    assert texts == ["once", "else"] * 2


BAD: list[tuple[Any, str]] = [
    ({"match": "a"}, "rules: must be a JSON list"),
    (["a"], "rules[0]: must be a JSON object"),
    ([GOOD[0], {"reply": "x"}], "rules[1].match: is missing"),
    ([{"match": "a"}], "rules[0].reply: is missing"),
    ([{"match": "(", "reply": "x"}], "rules[0].match: is no regular expression"),
    ([{"match": "{0}(", "reply": "{x}"}], "rules[0].match: is no regular expression"),
    ([{"match": "a{9999999999}", "reply": "x"}], "rules[0].match: is no regular expression"),
    ([{"match": "a", "reply": "x", "delay": 1}], "rules[0].delay: is no key of a rule"),
    ([{"match": "a", "reply": "x", "fault": 429}], "rules[0].fault: must be one of '429', '500'"),
    ([{"match": "a", "reply": "x", "ttft_ms": "9"}], "rules[0].ttft_ms: "),
    ([{"match": "a", "reply": "x", "ttft_ms": -1}], "rules[0].ttft_ms: "),
    ([{"match": "a", "reply": "x", "tokens_per_second": 0}], "rules[0].tokens_per_second: "),
    ([{"match": "a", "reply": "x", "output_tokens": 1.5}], "rules[0].output_tokens: "),
    ([{"match": "a", "reply": "x", "times": 0}], "rules[0].times: "),
]


@pytest.mark.parametrize(("rules", "complaint"), BAD, ids=[complaint for _, complaint in BAD])
async def test_bad_rules(
    standin: StandIn, http: httpx2.AsyncClient, rules: Any, complaint: str
) -> None:
    """A bad list is refused with one line that names index and key, and changes nothing."""
    standin.set_rules(GOOD)

    reply = await http.post("/_sim/rules", json=rules)

    assert reply.status_code == 400
    assert reply.json()["error"].startswith(complaint)
    assert "\n" not in reply.json()["error"]
    assert (await http.get("/_sim/rules")).json() == GOOD


async def test_bad_json_and_bad_rules_in_process(
    standin: StandIn, http: httpx2.AsyncClient
) -> None:
    """Text that is no JSON is refused like any bad list, and so are rules set in-process."""
    assert (await http.post("/_sim/rules", content="nope")).status_code == 400
    with pytest.raises(BadRules, match=r"rules\[0\]\.reply"):
        standin.set_rules([{"match": "a"}])


async def test_request_log(standin: StandIn, http: httpx2.AsyncClient, api: Api) -> None:
    """GET lists what happened with exactly these keys; DELETE clears it."""
    standin.set_rules([{"match": "", "reply": "one two", "ttft_ms": 0}])
    await api("hello")

    [entry] = (await http.get("/_sim/requests")).json()

    assert entry.keys() == {
        *("model", "user", "started", "ended", "delivered_tokens", "outcome", "closed_at")
    }
    assert (entry["model"], entry["user"]) == ("sim-mid", "hello")
    assert (entry["delivered_tokens"], entry["outcome"]) == (2, "completed")
    assert (await http.delete("/_sim/requests")).is_success
    assert (await http.get("/_sim/requests")).json() == []


async def test_health(http: httpx2.AsyncClient) -> None:
    """The health endpoint says that the server is there."""
    assert (await http.get("/_sim/health")).json() == {"status": "ok"}

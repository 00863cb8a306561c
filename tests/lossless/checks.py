"""What must hold of a pair of runs, and of every run by itself (design 6).

Everything is worked out again from the history: what a run says of itself is only compared with it.
"""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast

from forerun.speculation.quantities import number
from forerun.workflows.graph import Graph
from forerun.workflows.spec import parse_spec
from tests.harness import Story, check_ledger
from tests.lossless.case import Case
from tests.lossless.dollars import budget_problems, ledger_problems
from tests.lossless.told import Told


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run that is over: what it returned, its history, and what the world saw of it."""

    id: str
    result: dict[str, Any]
    story: Story
    rows: list[dict[str, Any]]
    requests: list[dict[str, Any]]


def differences(ahead: Run, control: Run) -> Iterator[str]:
    """Where two runs of one case, with speculation and without, do not come to the same."""
    for key in ("outputs", "skipped", "approximations"):
        yield from _differing(key, ahead.result[key], control.result[key])
    yield from _differing("failed", *(sorted(run.result["failed"]) for run in (ahead, control)))
    states = [
        {intent: effect["state"] for intent, effect in run.result["effects"].items()}
        for run in (ahead, control)
    ]
    yield from _differing("effects", *states)
    rows = [{row["intent"]: row["arguments"] for row in run.rows} for run in (ahead, control)]
    yield from _differing("outbox", *rows)
    # Each output comes from the same call, the one on the actual arguments: equal outputs might
    # hide a promoted call that was asked something else.
    asked = [
        {node: call.asked for node, call in Told(run.story).makers().items()}
        for run in (ahead, control)
    ]
    yield from _differing("calls", *asked)


def violations(run: Run, case: Case) -> Iterator[str]:
    """What is wrong with one run, whatever the other did."""
    told = Told(run.story)
    yield from _asserted("Story.check", run.story.check)
    yield from _asserted("check_ledger", lambda: check_ledger(run.result["ledger"]))
    if run.result["last_record"] != run.story.records[-1]["sha256"]:
        yield "last_record is not the last record"
    yield from told.task_failures()
    yield from ledger_problems(told, run.result["ledger"])
    yield from budget_problems(told, number(case.spec["policy"]["budget_usd"]))
    yield from _request_problems(run, told)
    yield from _gate_problems(run, case)
    graph = Graph.of(parse_spec(case.spec))
    yield from _guess_problems(run.story, graph)
    yield from _certainty_problems(told, graph)


def _request_problems(run: Run, told: Told) -> Iterator[str]:
    """The models were asked as often as the history says; what was cut may not have got there."""
    asked = Counter(request["user"] for request in run.requests)
    most, least = Counter[str](), Counter[str]()
    for call in told.calls.values():
        if "prompt" in call.asked:
            most[call.asked["prompt"]] += call.attempts
            least[call.asked["prompt"]] += call.attempts - call.cut
    for prompt in asked | most:
        if not least[prompt] <= asked[prompt] <= most[prompt]:
            yield f"{asked[prompt]} requests for {most[prompt]} attempts: {prompt!r}"


def _guess_problems(story: Story, graph: Graph) -> Iterator[str]:
    """Each guess is tested once, and a promoted call goes back to one that was right at least."""
    tested = story.of_kind("guess")
    if len({record["guess"] for record in tested}) < len(tested):
        yield "a guess is tested twice"
    right = {record["node"] for record in tested if record["right"]}
    for outcome in story.of_kind("outcome"):
        node = outcome["node"]
        assumed = {guess.partition("@")[0] for guess in outcome["bet"].split(" & ")}
        # What was assumed further up may have decided a `when` only, right or wrong.
        direct = assumed <= {*graph.nodes[node].upstream}
        if outcome["outcome"] == "promoted" and direct and right.isdisjoint(graph.ancestors(node)):
            yield f"{outcome['speculation']} is promoted, but no guess was right"


def _gate_problems(run: Run, case: Case) -> Iterator[str]:
    """Effects end as people meant them to; one row per commit, none before its approval."""
    effects = run.result["effects"]
    for intent, effect in effects.items():
        if effect["state"] != case.manners[intent].leads_to:
            yield f"{intent} is {effect['state']} although people were {case.manners[intent]}"
    committed = sorted(name for name, effect in effects.items() if effect["state"] == "committed")
    if sorted(row["intent"] for row in run.rows) != committed:
        yield f"rows of {[row['intent'] for row in run.rows]}, but committed are {committed}"
    told = Told(run.story)
    for intent, event_id in told.commits().items():
        if not any(name == intent and at < event_id for at, name in told.approvals()):
            yield f"{intent} commits at event {event_id}, before any approval"


def _certainty_problems(told: Told, graph: Graph) -> Iterator[str]:
    """No effect before every call of its ancestry has ended."""
    makers = told.makers()
    for intent, event_id in told.commits().items():
        for node in graph.ancestors(intent):
            if node in makers and makers[node].ended_at > event_id:
                yield f"{intent} commits at event {event_id}, before {node} is certain"


def _differing(what: str, one: Any, other: Any) -> Iterator[str]:
    if one == other:
        return
    if not isinstance(one, dict) or not isinstance(other, dict):
        yield f"{what} differ: {one!r}, control {other!r}"
        return
    ahead, control = cast("dict[str, Any]", one), cast("dict[str, Any]", other)
    for key in dict.fromkeys([*ahead, *control]):
        mine, theirs = ahead.get(key, "-"), control.get(key, "-")
        if mine != theirs:
            yield f"{what} differ in {key}: {mine!r}, control {theirs!r}"


def _asserted(name: str, check: Callable[[], None]) -> Iterator[str]:
    try:
        check()
    except AssertionError as error:
        yield f"{name}: {traceback.extract_tb(error.__traceback__)[-1].line} {error}"

"""What must hold of the items of `for_each` nodes, beside what holds of every call.

That a gathered list is made of the outputs of its items, in their order, is the audit's business.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from forerun.workers.audit.launched import launches
from forerun.workers.audit.reading import read_run
from forerun.workers.audit.run import Call
from tests.harness import Story

Span = tuple[int, int]


def concurrency_problems(story: Story) -> Iterator[str]:
    """No more items at a time than a node allows: of its own calls, and of those ahead on a bet.

    Guesses that exclude each other make lists of their own, and each has its own cap. Intents have
    none: they wait for people.
    """
    told, let_go = read_run(story.history)[0], _let_go(story)
    nodes = told.graph.nodes.values() if told.graph else ()
    caps = {node.name: node.spec.concurrency for node in nodes if node.gathers and not node.effect}
    own = [(call, "its own") for call in told.calls if not call.speculative]
    ahead = [(one.call, one.decided.decision.bet if one.decided else "") for one in launches(told)]
    together: dict[tuple[str, str], list[Span]] = {}
    for call, why in (*own, *ahead):
        node = call.node.partition("[")[0]
        if node in caps and call.end is not None:
            together.setdefault((node, why), []).append(_span(call, call.end.event_id, let_go))
    for (node, why), spans in together.items():
        most = _most_at_once(spans)
        if most > caps[node]:
            yield f"{most} items of {node} at once ({why}), allowed are {caps[node]}"


def _let_go(story: Story) -> dict[int, int]:
    """By the event that scheduled an activity, the one that asked for its cut."""
    found: dict[int, int] = {}
    for event in story.history.events:
        if event.HasField("activity_task_cancel_requested_event_attributes"):
            cut = event.activity_task_cancel_requested_event_attributes
            found[cut.scheduled_event_id] = event.event_id
    return found


def _span(call: Call, ended: int, let_go: dict[int, int]) -> Span:
    """From its start to its end; what is being cut has given up its place."""
    return call.event_id, let_go.get(call.event_id, ended)


def _most_at_once(spans: Sequence[Span]) -> int:
    return max(sum(began <= at < ended for began, ended in spans) for at, _ in spans)

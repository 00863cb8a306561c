"""What must hold of the items of `for_each` nodes, beside what holds of every call.

That a gathered list is made of the outputs of its items, in their order, is the audit's business.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from forerun.workers.audit.launched import launches
from forerun.workers.audit.run import Call
from forerun.workers.audit.run import Run as Told


def concurrency_problems(told: Told) -> Iterator[str]:
    """No more items at a time than a node allows: of its own calls, and of those ahead on a bet.

    Guesses that exclude each other make lists of their own, and each has its own cap. Intents have
    none: they wait for people.
    """
    nodes = told.graph.nodes.values() if told.graph else ()
    fans = {node.name: node.spec.concurrency for node in nodes if node.gathers and not node.effect}
    together: dict[tuple[str, str], list[Call]] = {}
    for call in told.calls:
        if not call.speculative:
            together.setdefault((_parent(call), "itself"), []).append(call)
    for launch in launches(told):
        bet = launch.decided.decision.bet if launch.decided else ""
        together.setdefault((_parent(launch.call), bet), []).append(launch.call)
    for (node, bet), calls in together.items():
        most = _most_at_once(calls)
        if node in fans and most > fans[node]:
            yield f"{most} items of {node} at once ({bet}), allowed are {fans[node]}"


def _parent(call: Call) -> str:
    return call.node.partition("[")[0]


def _most_at_once(calls: Iterable[Call]) -> int:
    spans = [(call.event_id, call.end.event_id if call.end else call.event_id) for call in calls]
    return max(sum(began <= at < ended for began, ended in spans) for at, _ in spans)

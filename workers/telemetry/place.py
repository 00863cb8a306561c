"""Where in a run something happens: what log lines and spans have in common."""

from __future__ import annotations

from temporalio.activity import Info

AHEAD = "ahead"


def node_of(activity_id: str) -> str | None:
    """The node that an activity works for; None for errands and decisions, which have a number.

    A call has the name of its node as its id; one that runs ahead is `ahead:node:1`, a commit
    `commit:intent`, the comparison of a guess `compare:node@guess`. A stage that is thrown away is
    `discard:` and the id of what staged it.
    """
    if activity_id.isdigit():
        return None
    _, colon, rest = activity_id.removeprefix("discard:").partition(":")
    return rest.partition(":")[0].partition("@")[0] if colon else activity_id


def is_ahead(activity_id: str) -> bool:
    """Whether the call was started as a speculation; nothing says what becomes of it."""
    return activity_id.startswith(f"{AHEAD}:")


def place_of(info: Info) -> dict[str, str]:
    """The fields that every log line of an activity has."""
    known = {
        "workflow_id": info.workflow_id,
        "run_id": info.workflow_run_id,
        "node": node_of(info.activity_id),
    }
    return {name: value for name, value in known.items() if value}

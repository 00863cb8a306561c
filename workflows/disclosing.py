"""What a call on guesses would tell whoever answers it.

An argument rests on a guess as soon as one of the outputs that its template reads does: what the
template makes of it is not looked into.
"""

from __future__ import annotations

from collections.abc import Iterable

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from forerun.speculation.disclosure import Disclosure, withheld
    from forerun.workflows.node import Node
    from forerun.workflows.spec_errors import at


def kept_back(node: Node, policy: Disclosure | None, uncertain: Iterable[str]) -> str | None:
    """Why the call of `node` must not leave while these of its upstream are uncertain.

    None if it may, or if there is no policy: the prompts of models are their authors' own business.
    """
    return withheld(policy, guessed_arguments(node, uncertain)) if policy else None


def guessed_arguments(node: Node, uncertain: Iterable[str]) -> list[str]:
    """Paths of the arguments that read one of these nodes: `items[0].name`; all of them if empty."""
    names = set(uncertain)
    if node.for_each is not None and not names.isdisjoint(node.for_each.references):
        names |= {"item", "index"}
    start = at("nodes", node.parent or node.name, "args")
    return [
        filling.path.removeprefix(start).removeprefix(".")
        for filling in node.call.templates
        if not names.isdisjoint(filling.references)
    ]

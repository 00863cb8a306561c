"""From a node of a spec to a node that runs: its templates compiled, every name in them known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from forerun.workflows.filling import ModelCall
from forerun.workflows.node import Node
from forerun.workflows.spec_errors import SpecError, at, closest, shown
from forerun.workflows.spec_nodes import ModelNode, NodeSpec
from forerun.workflows.template_rules import Allowance
from forerun.workflows.templates import Arguments, Template, compile_args

FOR_EACH_NAMES = ("item", "index")
RESERVED = ("input", *FOR_EACH_NAMES)


def compiled(
    name: str, spec: NodeSpec, input: Any, names: Mapping[str, int], allowance: Allowance
) -> Node:
    """The node with its templates compiled; `names` are all nodes with their positions.

    Raises:
        SpecError: one of its templates is wrong, or names something unknown.
    """
    path = at("nodes", name)
    when = _expression(spec.when, at(path, "when"), allowance)
    items = _expression(spec.for_each, at(path, "for_each"), allowance)
    call, own = _call(spec, path, allowance)
    templates = [template for template in (items, when, *own) if template]
    return Node(
        name=name,
        spec=spec,
        input=input,
        upstream=_upstream(templates, names, items),
        call=call,
        when=when,
        for_each=items,
    )


def _call(
    spec: NodeSpec, path: str, allowance: Allowance
) -> tuple[ModelCall | Arguments, Sequence[Template]]:
    """What the node calls, and the templates in it."""
    if not isinstance(spec, ModelNode):
        arguments = compile_args(spec.args, at(path, "args"), allowance)
        return arguments, arguments.templates
    prompt = Template.parse(spec.prompt, at(path, "prompt"), allowance)
    if spec.system is None:
        return ModelCall(spec=spec, prompt=prompt, system=None), [prompt]
    system = Template.parse(spec.system, at(path, "system"), allowance)
    return ModelCall(spec=spec, prompt=prompt, system=system), [prompt, system]


def _expression(text: str | None, path: str, allowance: Allowance) -> Template | None:
    return None if text is None else Template.parse_expression(text, path, allowance)


def _upstream(
    templates: Sequence[Template], names: Mapping[str, int], items: Template | None
) -> tuple[str, ...]:
    """The nodes that `templates` name; `items` is the one that may not use `item` and `index`."""
    found: set[str] = set()
    for template in templates:
        beside = ("input", "item", "index") if items and template is not items else ("input",)
        for name in template.references:
            if name in names:
                found.add(name)
            elif name not in beside:
                raise _unknown(template.path, name, [*names, *beside])
        _check_own(template, names)
    return tuple(sorted(found, key=lambda name: names[name]))


def _unknown(path: str, name: str, known: list[str]) -> SpecError:
    if name in FOR_EACH_NAMES:
        otherwise = "add for_each to this node, or use input"
    else:
        otherwise = "use input or the name of a node"
    fix = closest(name, known, otherwise)
    return SpecError(path, shown(name), f"unknown name {shown(name)}", fix)


def _check_own(template: Template, names: Mapping[str, int]) -> None:
    """A variable of the template may not hide a node: the edge to that node would be lost."""
    for name in sorted(template.bound):
        if name in names or name in RESERVED:
            problem = f"{shown(name)} is set here, but it names something else already"
            raise SpecError(template.path, shown(name), problem, "choose another name for it")

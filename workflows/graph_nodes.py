"""A node as the run sees it: its templates compiled, the run's input at hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from forerun.speculation.canonical import canonical
from forerun.workflows.spec_errors import SpecError, at, closest, shown
from forerun.workflows.spec_guesses import Guesses
from forerun.workflows.spec_nodes import ModelNode, NodeSpec
from forerun.workflows.template_rules import Allowance
from forerun.workflows.template_values import Work
from forerun.workflows.templates import Arguments, Template, compile_args

FOR_EACH_NAMES = ("item", "index")
RESERVED = ("input", *FOR_EACH_NAMES)


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedCall:
    """What a node calls, with concrete arguments.

    For a model the arguments are named as in `ModelRequest`: provider, model, prompt, system,
    choices, schema, max_output_tokens, temperature.
    """

    operation: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class _ModelCall:
    """The templates of a model call: what `Arguments` is for operations."""

    spec: ModelNode
    prompt: Template
    system: Template | None

    @classmethod
    def compiled(cls, spec: ModelNode, path: str, allowance: Allowance) -> _ModelCall:
        prompt = Template.parse(spec.prompt, at(path, "prompt"), allowance)
        system = None
        if spec.system is not None:
            system = Template.parse(spec.system, at(path, "system"), allowance)
        return cls(spec=spec, prompt=prompt, system=system)

    @property
    def templates(self) -> tuple[Template, ...]:
        return (self.prompt, self.system) if self.system else (self.prompt,)

    def render(self, values: Mapping[str, Any], work: Work) -> dict[str, Any]:
        return {
            "provider": self.spec.provider,
            "model": self.spec.model.partition(":")[2],
            "prompt": self.prompt.render_text(values, work),
            "system": self.system.render_text(values, work) if self.system else None,
            "choices": self.spec.choices,
            "schema": canonical(self.spec.output_schema),
            "max_output_tokens": self.spec.output_limit,
            "temperature": self.spec.temperature,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One node. `upstream` are the nodes that its templates name, in the order of the spec.

    The values that its methods take are the outputs of its upstream by name; a skipped node is left
    out of them.
    """

    name: str
    spec: NodeSpec
    input: Any
    upstream: tuple[str, ...]
    templates: tuple[Template, ...]
    _when: Template | None
    _call: _ModelCall | Arguments

    @classmethod
    def compiled(
        cls,
        name: str,
        spec: NodeSpec,
        input: Any,
        names: Mapping[str, int],
        allowance: Allowance,
    ) -> Node:
        """The node with its templates compiled; `names` are all nodes with their positions.

        Raises:
            SpecError: one of its templates is wrong, or names something unknown.
        """
        path = at("nodes", name)
        when = _expression(spec.when, at(path, "when"), allowance)
        items = _expression(spec.for_each, at(path, "for_each"), allowance)
        if isinstance(spec, ModelNode):
            call = _ModelCall.compiled(spec, path, allowance)
        else:
            call = compile_args(spec.args, at(path, "args"), allowance)
        templates = tuple(template for template in (items, when, *call.templates) if template)
        return cls(
            name=name,
            spec=spec,
            input=input,
            upstream=_upstream(templates, names, items),
            templates=templates,
            _when=when,
            _call=call,
        )

    @property
    def effect(self) -> bool:
        """Whether it is an effect: an intent behind the barrier, not a call."""
        return self.spec.kind == "effect"

    @property
    def speculate(self) -> bool:
        """Whether its author lets it run on guesses."""
        return self.spec.speculate

    @property
    def guesses(self) -> Guesses:
        """How its output may be predicted."""
        return self.spec.guess

    @property
    def when_references(self) -> tuple[str, ...]:
        """The upstream nodes that its `when` reads; none without a `when`."""
        read = self._when.references if self._when else ()
        return tuple(name for name in self.upstream if name in read)

    @property
    def template_bytes(self) -> int:
        """Length of its templates in UTF-8: a measure of its call before it can be rendered."""
        return sum(len(template.text.encode()) for template in self.templates)

    def tolerates(self, upstream: str) -> bool:
        """Whether it runs although `upstream` was skipped.

        It does if every one of its templates that reads `upstream` also tests it.
        """
        readers = [template for template in self.templates if upstream in template.references]
        return all(upstream in template.tolerated for template in readers)

    def runs(self, values: Mapping[str, Any]) -> bool:
        """Whether its `when` is true; without one it always runs.

        Raises:
            RenderError: the `when` has no value.
        """
        return self._when is None or self._when.holds({"input": self.input, **values})

    def render(self, values: Mapping[str, Any]) -> RenderedCall:
        """Its call with concrete, canonical arguments. `when` is not looked at.

        Raises:
            RenderError: a template has no value, or comes to more than 256 KB.
        """
        arguments = self._call.render({"input": self.input, **values}, Work())
        return RenderedCall(operation=self.spec.operation, arguments=arguments)


def _expression(text: str | None, path: str, allowance: Allowance) -> Template | None:
    return None if text is None else Template.parse_expression(text, path, allowance)


def _upstream(
    templates: tuple[Template, ...], names: Mapping[str, int], items: Template | None
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

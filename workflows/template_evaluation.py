"""The evaluator of templates: what has no form here is not part of the language.

Jinja2 parses, and the tree it makes is walked here. No code is generated, and every step is paid for
before it is done (see `template_values`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, cast

from jinja2 import nodes

from forerun.workflows.template_expressions import Expressions
from forerun.workflows.template_values import (
    MAX_OUTPUT,
    EvaluationError,
    Work,
    as_text,
    described,
    items_of,
)


class Evaluator(Expressions):
    """One evaluation of one template."""

    def __init__(self, values: Mapping[str, Any], work: Work) -> None:
        super().__init__(values, work)
        self._parts: list[str] = []
        self._length = 0

    def text(self, body: list[nodes.Node]) -> str:
        """What a whole template writes.

        Raises:
            EvaluationError: something in it has no value, or there is too much of it.
        """
        self._run(body)
        return "".join(self._parts)

    def _run(self, body: list[nodes.Node]) -> None:
        for statement in body:
            self.visit(statement)

    def _output(self, node: nodes.Output) -> None:
        for part in node.nodes:
            if isinstance(part, nodes.TemplateData):
                self._write(part.data)
            else:
                value = self.value(part)
                self._work.touch(value)
                self._write(as_text(value))

    def _write(self, text: str) -> None:
        self._length += len(text)
        if self._length > MAX_OUTPUT:
            raise EvaluationError(f"produces more than {MAX_OUTPUT:,} bytes")
        self._parts.append(text)

    def _if(self, node: nodes.If) -> None:
        for branch in (node, *node.elif_):
            if self.value(branch.test):
                return self._run(branch.body)
        return self._run(node.else_)

    def _for(self, node: nodes.For) -> None:
        outer = self._locals
        items = self._chosen(node, outer)
        for index, item in enumerate(items):
            self._work.spend(1 + len(outer) // 16)
            self._locals = {**outer, "loop": _loop(index, len(items))}
            self._bind(node.target, item)
            self._run(node.body)
        self._locals = outer
        if not items:
            self._run(node.else_)

    def _chosen(self, node: nodes.For, outer: dict[str, Any]) -> list[Any]:
        """The items that the loop's own `if` lets through."""
        items = items_of(self.value(node.iter))
        if node.test is None:
            return items
        chosen: list[Any] = []
        for item in items:
            self._locals = dict(outer)
            self._bind(node.target, item)
            if self.value(node.test):
                chosen.append(item)
        self._locals = outer
        return chosen

    def _assign(self, node: nodes.Assign) -> None:
        self._bind(node.target, self.value(node.node))

    def _bind(self, target: nodes.Node, value: Any) -> None:
        if isinstance(target, nodes.Name):
            self._locals[target.name] = value
            return
        names = list(target.iter_child_nodes())
        items = cast("list[Any]", value) if isinstance(value, list) else []
        if len(items) != len(names):
            raise EvaluationError(f"{described(value)} can't be taken apart into {len(names)}")
        for name, item in zip(names, items, strict=True):
            self._bind(name, item)

    forms: ClassVar[Mapping[type[nodes.Node], Callable[[Any, Any], Any]]] = {
        **Expressions.forms,
        nodes.Output: _output,
        nodes.If: _if,
        nodes.For: _for,
        nodes.Assign: _assign,
    }


def _loop(index: int, length: int) -> dict[str, Any]:
    """The loop variable: a JSON object like any other value."""
    return {
        "index": index + 1,
        "index0": index,
        "revindex": length - index,
        "revindex0": length - index - 1,
        "first": index == 0,
        "last": index == length - 1,
        "length": length,
    }

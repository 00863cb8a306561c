"""What an expression in a template comes to.

Values are JSON and nothing else: there is no attribute of a Python object to reach and no method to
call. An expression may come to `Missing`, which only `is defined` and `default` accept.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, cast

from jinja2 import nodes

from forerun.workflows.template_filters import FILTERS, TAKES_MISSING, TESTS
from forerun.workflows.template_values import (
    EvaluationError,
    Missing,
    Work,
    as_text,
    described,
    field_of,
    number_of,
    text_of,
)

_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "lteq": operator.le,
    "gt": operator.gt,
    "gteq": operator.ge,
    "in": lambda item, container: item in container,
    "notin": lambda item, container: item not in container,
}

_CALCULATIONS: Mapping[type[nodes.Node], Callable[[Any, Any], Any]] = {
    nodes.Sub: lambda left, right: left - right,
    nodes.Div: lambda left, right: left / right,
    nodes.FloorDiv: lambda left, right: left // right,
}


class Expressions:
    """Evaluates the expressions of one template: `visit` one of any kind, or ask for its `value`."""

    def __init__(self, values: Mapping[str, Any], work: Work) -> None:
        self._values = values
        self._work = work
        self._locals: dict[str, Any] = {}

    def value(self, expression: nodes.Node) -> Any:
        """What `expression` comes to.

        Raises:
            EvaluationError: it has no value.
        """
        value = self.visit(expression)
        if isinstance(value, Missing):
            raise EvaluationError(value.why)
        return value

    def visit(self, node: nodes.Node) -> Any:
        """Evaluate `node`, for one step of work.

        Raises:
            EvaluationError: something in it has no value, or no step is left.
        """
        self._work.spend(1)
        form = self.forms.get(type(node))
        if form is None:  # `template_rules` has refused it before
            raise EvaluationError(f"{type(node).__name__} is not part of the language")
        return form(self, node)

    def _name(self, node: nodes.Name) -> Any:
        if node.name in self._locals:
            return self._locals[node.name]
        return self._values.get(node.name, Missing(f"{node.name} has no value"))

    def _constant(self, node: nodes.Const) -> Any:
        return node.value

    def _list(self, node: nodes.List | nodes.Tuple) -> list[Any]:
        return [self.value(item) for item in node.items]

    def _dict(self, node: nodes.Dict) -> dict[str, Any]:
        return {text_of(self.value(pair.key)): self.value(pair.value) for pair in node.items}

    def _field(self, node: nodes.Getattr) -> Any:
        return field_of(self.value(node.node), node.attr, _spelling(node.node))

    def _item(self, node: nodes.Getitem) -> Any:
        value = self.value(node.node)
        if not isinstance(node.arg, nodes.Slice):
            return field_of(value, self.value(node.arg), _spelling(node.node))
        if not isinstance(value, str | list):
            raise EvaluationError(f"{described(value)} can't be sliced")
        whole = cast("list[Any]", value)
        bounds = (node.arg.start, node.arg.stop, node.arg.step)
        part = whole[slice(*(None if b is None else self.value(b) for b in bounds))]
        self._work.touch(part)
        return part

    def _filter(self, node: nodes.Filter) -> Any:
        return self._apply(FILTERS[node.name], node)

    def _test(self, node: nodes.Test) -> Any:
        return self._apply(TESTS[node.name], node)

    def _apply(self, function: Callable[..., Any], node: nodes.Filter | nodes.Test) -> Any:
        subject: Any = node.node
        value = self.visit(subject) if node.name in TAKES_MISSING else self.value(subject)
        args = [self.value(arg) for arg in node.args]
        named = {str(pair.key): self.value(pair.value) for pair in node.kwargs}
        self._work.touch(value, *args, *named.values())
        result: Any = function(value, *args, **named)
        self._work.touch(result)
        return result

    def _compare(self, node: nodes.Compare) -> bool:
        left = self.value(node.expr)
        for operand in node.ops:
            right = self.value(operand.expr)
            self._work.touch(left, right)
            if not _COMPARISONS[operand.op](left, right):
                return False
            left = right
        return True

    def _and(self, node: nodes.And) -> Any:
        return self.value(node.left) and self.value(node.right)

    def _or(self, node: nodes.Or) -> Any:
        return self.value(node.left) or self.value(node.right)

    def _not(self, node: nodes.Not) -> bool:
        return not self.value(node.node)

    def _conditional(self, node: nodes.CondExpr) -> Any:
        if self.value(node.test):
            return self.value(node.expr1)
        if node.expr2 is None:
            return Missing("an inline if without else came out false")
        return self.value(node.expr2)

    def _concatenate(self, node: nodes.Concat) -> str:
        values = [self.value(part) for part in node.nodes]
        self._work.touch(*values)
        return "".join(map(as_text, values))

    def _add(self, node: nodes.Add) -> Any:
        left, right = self.value(node.left), self.value(node.right)
        if type(left) is type(right) and isinstance(left, str | list):
            self._work.touch(left, right)
            return left + right
        return number_of(left) + number_of(right)

    def _calculate(self, node: nodes.Sub | nodes.Div | nodes.FloorDiv) -> Any:
        left, right = number_of(self.value(node.left)), number_of(self.value(node.right))
        return _CALCULATIONS[type(node)](left, right)

    def _negate(self, node: nodes.Neg) -> Any:
        return -number_of(self.value(node.node))

    def _affirm(self, node: nodes.Pos) -> Any:
        return number_of(self.value(node.node))

    forms: ClassVar[Mapping[type[nodes.Node], Callable[[Any, Any], Any]]] = {
        nodes.Name: _name,
        nodes.Const: _constant,
        nodes.List: _list,
        nodes.Tuple: _list,
        nodes.Dict: _dict,
        nodes.Getattr: _field,
        nodes.Getitem: _item,
        nodes.Filter: _filter,
        nodes.Test: _test,
        nodes.Compare: _compare,
        nodes.And: _and,
        nodes.Or: _or,
        nodes.Not: _not,
        nodes.CondExpr: _conditional,
        nodes.Concat: _concatenate,
        nodes.Add: _add,
        nodes.Sub: _calculate,
        nodes.Div: _calculate,
        nodes.FloorDiv: _calculate,
        nodes.Neg: _negate,
        nodes.Pos: _affirm,
    }
    """What is part of the language, and how it is evaluated. Nothing else is."""


def _spelling(node: nodes.Node) -> str:
    """How the author wrote `node`, as far as a message needs it."""
    match node:
        case nodes.Name():
            return node.name
        case nodes.Getattr():
            return f"{_spelling(node.node)}.{node.attr}"
        case nodes.Getitem():
            return f"{_spelling(node.node)}[…]"
        case _:
            return "that value"

"""What a template may contain, checked on its syntax tree before anything is evaluated.

The allow-list of constructs is the evaluator's own: what it has no form for is refused here. So
are unknown filters and tests, arguments that they don't take, attributes with a leading underscore,
and loops nested more than twice.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream
from typing_extensions import override

from forerun.workflows.spec_errors import SpecError, closest, shown
from forerun.workflows.template_evaluation import Evaluator
from forerun.workflows.template_filters import FILTERS, TAKES_MISSING, TESTS

MAX_LOOPS = 2
MAX_NESTING = 50
MAX_BRACKETS = 20
MAX_TOKENS = 5_000
"""Of one template. Jinja2 takes about 5 µs for each, and a workflow task has 2 s in all."""

MAX_PARTS = 50_000
PARTS_PER_TEMPLATE = 5
"""Of all templates of a spec, in syntax nodes; beside them, a template costs as much as five."""

_OPENING = frozenset({"lparen", "lbracket", "lbrace"})
_CLOSING = frozenset({"rparen", "rbracket", "rbrace"})

_FORMS = frozenset(Evaluator.forms)
_PARTS = frozenset({nodes.Operand, nodes.Pair, nodes.Keyword, nodes.Slice, nodes.TemplateData})
"""What only occurs inside a form, which evaluates it itself."""

_SPOKEN: Mapping[str, str] = {
    "Call": "a call",
    "Mul": "the operator *",
    "Pow": "the operator **",
    "Mod": "the operator %",
    "AssignBlock": "a block of {% set %}",
    "NSRef": "an attribute of a namespace",
    "FilterBlock": "{% filter %}",
    "CallBlock": "{% call %}",
    "FromImport": "{% from %}",
    "Scope": "{% autoescape %}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A template that keeps the rules.

    `references` are the names it reads and does not bind itself, in the order of first use;
    `tolerated` those it tests with `is defined` (or gives a `default`); `bound` its own variables.
    """

    body: list[nodes.Node]
    references: tuple[str, ...]
    tolerated: frozenset[str]
    bound: frozenset[str]


class Allowance:
    """What the templates of a spec may be made of, all together."""

    def __init__(self) -> None:
        self._parts = MAX_PARTS

    def spend(self, parts: int, path: str) -> None:
        """Pay for a template of so many syntax nodes.

        Raises:
            SpecError: that is more than is left.
        """
        self._parts -= parts + PARTS_PER_TEMPLATE
        if self._parts < 0:
            problem = f"the templates up to here have more than {MAX_PARTS:,} parts"
            raise SpecError(path, "", problem, "simplify them, or split the run")


def check(text: str, path: str, allowance: Allowance) -> Checked:
    """Parse `text` and check it.

    Raises:
        SpecError: it does not parse, or breaks a rule.
    """
    try:
        body = _ENVIRONMENT.parse(text).body
    except TemplateSyntaxError as error:
        problem = f"{shown(text)} is no template: {shown(error.message or '')}"
        raise SpecError(path, shown(text), problem, f"correct its line {error.lineno}") from None
    except RecursionError:
        raise _too_deep(text, path) from None
    except ValueError as error:  # a number of more digits than Python reads
        raise SpecError(path, shown(text), shown(str(error)), "write it as text") from None
    rules = _Rules(text, path)
    for statement in body:
        rules.visit(statement, depth=0, loops=0)
    allowance.spend(rules.size, path)
    return rules.checked(body)


class _Bounded(Extension):
    """Bounds what the parser is given, by count and by depth, before it takes seconds or recurses.

    Brackets leave no trace in the tree, and how deep the parser gets before Python stops it depends
    on who called it: a replay could come to another verdict.
    """

    @override
    def filter_stream(self, stream: TokenStream) -> Iterator[Token]:
        depth = 0
        for index, token in enumerate(stream):
            depth += (token.type in _OPENING) - (token.type in _CLOSING)
            if index >= MAX_TOKENS:
                raise TemplateSyntaxError(f"more than {MAX_TOKENS:,} parts", token.lineno)
            if depth > MAX_BRACKETS:
                raise TemplateSyntaxError(f"more than {MAX_BRACKETS} brackets deep", token.lineno)
            yield token


_ENVIRONMENT = Environment(
    keep_trailing_newline=True, extensions=[_Bounded], cache_size=0, optimized=False
)


class _Rules:
    def __init__(self, text: str, path: str) -> None:
        self._text = text
        self._path = path
        self._used: dict[str, None] = {}
        self._tested: set[str] = set()
        self._bound: set[str] = set()
        self.size = 0

    def checked(self, body: list[nodes.Node]) -> Checked:
        return Checked(
            body=body,
            references=tuple(name for name in self._used if name not in self._bound),
            tolerated=frozenset(self._tested),
            bound=frozenset(self._bound),
        )

    def visit(self, node: nodes.Node, *, depth: int, loops: int) -> None:
        self.size += 1
        if depth > MAX_NESTING:
            raise _too_deep(self._text, self._path)
        self._check(node, loops)
        inside = set(map(id, node.body)) if isinstance(node, nodes.For) else set[int]()
        for child in node.iter_child_nodes():
            self.visit(child, depth=depth + 1, loops=loops + (id(child) in inside))

    def _check(self, node: nodes.Node, loops: int) -> None:
        kind = type(node)
        if kind not in _FORMS and kind not in _PARTS:
            raise self._refused(_SPOKEN.get(kind.__name__, f"{{% {kind.__name__.lower()} %}}"))
        match node:
            case nodes.Name():
                self._name(node, loops)
            case nodes.Getattr() if node.attr.startswith("_"):
                raise self._refused(f"the attribute {shown(node.attr)}")
            case nodes.For() if node.recursive or loops >= MAX_LOOPS:
                raise self._refused("a recursive loop" if node.recursive else "a loop in two loops")
            case nodes.Filter():
                self._function("filter", node, FILTERS)
            case nodes.Test():
                self._function("test", node, TESTS)
            case _:
                pass

    def _name(self, node: nodes.Name, loops: int) -> None:
        if node.ctx != "load":
            self._bound.add(node.name)
        elif node.name != "loop" or not loops:
            self._used[node.name] = None

    def _function(
        self, what: str, node: nodes.Filter | nodes.Test, known: Mapping[str, Callable[..., Any]]
    ) -> None:
        if node.name not in known:
            fix = closest(node.name, sorted(known), f"use one of {', '.join(sorted(known))}")
            raise SpecError(self._path, shown(node.name), f"unknown {what} {shown(node.name)}", fix)
        if node.dyn_args is not None or node.dyn_kwargs is not None:
            raise self._refused("an argument with *")
        named = {str(pair.key): None for pair in node.kwargs}
        try:
            inspect.signature(known[node.name]).bind(None, *node.args, **named)
        except TypeError as error:
            problem = f"the {what} {shown(node.name)}: {error}"
            raise SpecError(
                self._path, shown(node.name), problem, "correct its arguments"
            ) from None
        if node.name in TAKES_MISSING and isinstance(node.node, nodes.Name):
            self._tested.add(node.node.name)

    def _refused(self, what: str) -> SpecError:
        problem = f"{what} is not allowed in templates ({shown(self._text)})"
        fix = "use fields, operators, filters, {% if %} and {% for %}"
        return SpecError(self._path, what, problem, fix)


def _too_deep(text: str, path: str) -> SpecError:
    problem = f"{shown(text)} is nested deeper than {MAX_NESTING} levels"
    return SpecError(path, shown(text), problem, "take it apart")

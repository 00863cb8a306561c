"""Templates: strings of the spec that are filled in with the outputs of nodes.

The language is Jinja2's, sandboxed: JSON values, fields, operators, a list of filters and tests,
`if` and `for`. A string that is exactly one `{{ expression }}` passes the value with its type;
anywhere else a value that is not text is written as canonical JSON. Compiled once, at start.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from jinja2 import nodes

from forerun.speculation.canonical import canonical, canonical_json
from forerun.workflows.spec_errors import SpecError, at, shown
from forerun.workflows.template_evaluation import Evaluator
from forerun.workflows.template_rules import Allowance, check
from forerun.workflows.template_values import MAX_OUTPUT, EvaluationError, Work, as_text

_OPENINGS = ("{{", "{%", "{#")


class RenderError(Exception):
    """Why a template can't be filled in with the values at hand, in one line. The node fails."""

    def __init__(self, path: str, problem: str) -> None:
        self.path = path
        self.problem = problem
        super().__init__(f"{path}: {problem}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A string of the spec. A static one has no body and is passed on as it is.

    `references` are the names it reads, in the order of first use. `tolerated` are those of them
    that it tests with `is defined` or gives a `default`.
    """

    path: str
    text: str
    references: tuple[str, ...] = ()
    tolerated: frozenset[str] = frozenset()
    bound: frozenset[str] = frozenset()
    _body: list[nodes.Node] | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, text: str, path: str, allowance: Allowance | None = None) -> Template:
        """The template that stands at `path` of the spec.

        Raises:
            SpecError: it does not parse, or contains what templates may not contain.
        """
        if is_constant(text):
            if len(text.encode()) > MAX_OUTPUT:
                problem = f"{shown(text)} is longer than {MAX_OUTPUT:,} bytes"
                raise SpecError(path, shown(text), problem, "shorten it")
            return cls(path=path, text=text)
        checked = check(text, path, allowance or Allowance())
        return cls(
            path=path,
            text=text,
            references=checked.references,
            tolerated=checked.tolerated,
            bound=checked.bound,
            _body=checked.body,
        )

    @classmethod
    def parse_expression(cls, text: str, path: str, allowance: Allowance | None = None) -> Template:
        """A template that has to be exactly one `{{ expression }}`.

        Raises:
            SpecError: it is not.
        """
        template = cls.parse(text.strip(), path, allowance)
        if template.expression is None:
            problem = f"{shown(text)} is not one {{{{ expression }}}}"
            raise SpecError(path, shown(text), problem, "write \"{{ classify == 'bug' }}\"")
        return template

    @property
    def size(self) -> int:
        """Length of its source in UTF-8."""
        return len(self.text.encode())

    @property
    def expression(self) -> nodes.Expr | None:
        """The expression that this is exactly one of, if it is."""
        match self._body:
            case [nodes.Output(nodes=[expression])] if not isinstance(
                expression, nodes.TemplateData
            ):
                return expression
            case _:
                return None

    def render(self, values: Mapping[str, Any], work: Work | None = None) -> Any:
        """The canonical value that `values`, by name, give this template.

        `work` is shared by the templates of one node; a skipped node is left out of `values`.

        Raises:
            RenderError: something is missing, of the wrong kind, or too large.
        """
        if self._body is None:
            return canonical(self.text)
        work = work or Work()
        try:
            value = self._evaluate(self._body, values, work)
            work.touch(value)
            return bounded(canonical(value))
        except (EvaluationError, ArithmeticError, TypeError, ValueError) as error:
            raise RenderError(self.path, _line(error)) from None
        except RecursionError:
            raise RenderError(self.path, "a value is nested too deeply") from None

    def _evaluate(self, body: list[nodes.Node], values: Mapping[str, Any], work: Work) -> Any:
        evaluator = Evaluator(values, work)
        expression = self.expression
        return evaluator.text(body) if expression is None else evaluator.value(expression)

    def render_text(self, values: Mapping[str, Any], work: Work | None = None) -> str:
        """`render`, and a value that is not text as canonical JSON.

        Raises:
            RenderError: see `render`.
        """
        return as_text(self.render(values, work))

    def holds(self, values: Mapping[str, Any]) -> bool:
        """`render` as a boolean.

        Raises:
            RenderError: see `render`.
        """
        return bool(self.render(values))


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """The arguments of a tool or an effect: JSON with templates among its strings, keys as they are.

    Strings in `tree` are what they are; what is filled in is a `Template` in their place.
    """

    path: str
    templates: tuple[Template, ...]
    tree: dict[str, Any]

    def render(self, values: Mapping[str, Any], work: Work | None = None) -> dict[str, Any]:
        """The canonical arguments that `values` give.

        Raises:
            RenderError: a template can't be filled in, or all together are too large.
        """
        filled = _filled(self.tree, values, work or Work())
        try:
            return bounded(canonical(filled))
        except (EvaluationError, ValueError) as error:
            raise RenderError(self.path, str(error)) from None


def compile_args(
    args: Mapping[str, Any], path: str, allowance: Allowance | None = None
) -> Arguments:
    """The arguments that stand at `path` of the spec.

    Raises:
        SpecError: one of the templates in them is wrong.
    """
    allowance = allowance or Allowance()
    tree = {key: _compiled(value, at(path, key), allowance) for key, value in args.items()}
    return Arguments(path=path, templates=tuple(_templates(tree)), tree=tree)


def is_constant(value: Any) -> bool:
    """Whether there is no template anywhere in a JSON value."""
    match value:
        case str():
            return not any(opening in value for opening in _OPENINGS)
        case dict():
            return all(map(is_constant, cast("dict[str, Any]", value).values()))
        case list():
            return all(map(is_constant, cast("list[Any]", value)))
        case _:
            return True


def _compiled(value: Any, path: str, allowance: Allowance) -> Any:
    """`value` with templates in place of the strings that are templates."""
    match value:
        case str():
            return value if is_constant(value) else Template.parse(value, path, allowance)
        case dict():
            entries = cast("dict[str, Any]", value).items()
            return {key: _compiled(inner, at(path, key), allowance) for key, inner in entries}
        case list():
            items = enumerate(cast("list[Any]", value))
            return [_compiled(inner, at(path, index), allowance) for index, inner in items]
        case _:
            return value


def _templates(tree: Any) -> Iterator[Template]:
    if isinstance(tree, Template):
        yield tree
    elif isinstance(tree, dict | list):
        inside = cast("Any", tree.values() if isinstance(tree, dict) else tree)
        for inner in inside:
            yield from _templates(inner)


def _filled(tree: Any, values: Mapping[str, Any], work: Work) -> Any:
    match tree:
        case Template():
            return tree.render(values, work)
        case dict():
            entries = cast("dict[str, Any]", tree).items()
            return {key: _filled(inner, values, work) for key, inner in entries}
        case list():
            return [_filled(inner, values, work) for inner in cast("list[Any]", tree)]
        case _:
            return tree


def bounded(value: Any) -> Any:
    """`value`, unless it is too large for what one node's templates may produce.

    Raises:
        EvaluationError: it is.
    """
    text = value if isinstance(value, str) else canonical_json(value)
    if len(text.encode()) > MAX_OUTPUT:
        raise EvaluationError(f"comes to more than {MAX_OUTPUT:,} bytes")
    return value


def _line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__

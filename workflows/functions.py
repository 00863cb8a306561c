"""Python functions in the place of templates: how a workflow of a user's own says what a step calls.

A function is called with the outputs of the steps it was declared with, many times over: with
guesses, and again with what really came. So it has to be pure: the same values, the same text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from forerun.speculation.canonical import canonical
from forerun.workflows.template_values import EvaluationError, Work, as_text
from forerun.workflows.templates import RenderError, bounded


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """What a template is, made of a function. `references` are its parameters, in their order.

    `path` is where it stands, for errors: `steps.draft.prompt`.
    """

    path: str
    function: Callable[..., Any]
    references: tuple[str, ...]

    @property
    def size(self) -> int:
        """Unknown before it is called."""
        return 0

    @property
    def tolerated(self) -> frozenset[str]:
        """None: a step of which an input is skipped is skipped."""
        return frozenset()

    def render(self, values: Mapping[str, Any], work: Work | None = None) -> Any:
        """The canonical value that it returns for these values.

        Raises:
            RenderError: it raised, or returned what is no JSON, or too much of it.
        """
        try:
            return bounded(canonical(self.function(*(values[name] for name in self.references))))
        except EvaluationError as error:
            raise RenderError(self.path, str(error)) from None
        except Exception as error:
            problem = " ".join(f"{type(error).__name__}: {error}".split())
            raise RenderError(self.path, problem) from error

    def render_text(self, values: Mapping[str, Any], work: Work | None = None) -> str:
        """`render`, and a value that is not text as canonical JSON."""
        return as_text(self.render(values))

    def holds(self, values: Mapping[str, Any]) -> bool:
        """`render` as a boolean."""
        return bool(self.render(values))


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionArguments:
    """The arguments of a tool or an effect, as one function returns them."""

    function: Function

    @property
    def templates(self) -> tuple[Function, ...]:
        """The one function."""
        return (self.function,)

    def render(self, values: Mapping[str, Any], work: Work | None = None) -> dict[str, Any]:
        """The canonical arguments for these values.

        Raises:
            RenderError: see `Function.render`; or it returned no object.
        """
        arguments = self.function.render(values)
        if not isinstance(arguments, dict):
            problem = f"returned {type(arguments).__name__}, not a dict of arguments"
            raise RenderError(self.function.path, problem)
        return cast("dict[str, Any]", arguments)

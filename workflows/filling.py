"""What outputs are filled into: templates of a spec, or functions of a user's workflow.

Which of the two it is, nobody but their authors can tell: all else knows what a filling reads, what
it tolerates and what it comes to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from forerun.speculation.canonical import canonical
from forerun.workflows.spec_nodes import ModelNode
from forerun.workflows.template_values import Work


class Filling(Protocol):
    """What outputs are filled into: a template, or a function in its place."""

    @property
    def path(self) -> str:
        """Where it stands: `nodes.draft.args.title`."""
        ...

    @property
    def references(self) -> tuple[str, ...]:
        """The names that it reads."""
        ...

    @property
    def tolerated(self) -> frozenset[str]:
        """Those of them that may be missing."""
        ...

    @property
    def size(self) -> int:
        """Length of its source in UTF-8; 0 where nobody can tell."""
        ...

    def render(self, values: Mapping[str, Any], work: Work | None = None) -> Any:
        """The canonical value; raises RenderError."""

    def render_text(self, values: Mapping[str, Any], work: Work | None = None) -> str:
        """The value as text; raises RenderError."""
        ...

    def holds(self, values: Mapping[str, Any]) -> bool:
        """The value as a boolean; raises RenderError."""
        ...


class Filled(Protocol):
    """All fillings of one call."""

    @property
    def templates(self) -> tuple[Filling, ...]:
        """They themselves."""
        ...

    def render(self, values: Mapping[str, Any], work: Work) -> dict[str, Any]:
        """The arguments of the call; raises RenderError."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCall:
    """What is filled in for a model call."""

    spec: ModelNode
    prompt: Filling
    system: Filling | None

    @property
    def templates(self) -> tuple[Filling, ...]:
        """The prompt and the system text."""
        return (self.prompt, self.system) if self.system else (self.prompt,)

    def render(self, values: Mapping[str, Any], work: Work) -> dict[str, Any]:
        """The arguments of the call; raises RenderError."""
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

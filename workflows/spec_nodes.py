"""The nodes of a spec: what keys each kind has.

Only shape is checked here, field by field. Whether a spec also makes sense (names, guesses, cycles)
is `spec_checks` and `graph`.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import BeforeValidator, Discriminator, Field, Tag

from forerun.workflows.spec_errors import closest, complaint, shown
from forerun.workflows.spec_guesses import Guesses
from forerun.workflows.spec_values import Choices, ModelName, Number, SpecModel, Text, object_of

Kind = Literal["model", "tool", "effect"]
KINDS: tuple[Kind, ...] = get_args(Kind)

DEFAULT_OUTPUT_TOKENS = 1024
TOKENS_BESIDE_CHOICE = 16
"""Room for what a model may put around a bare choice before it is trimmed."""


class Estimate(SpecModel, title="estimate"):
    """What the author knows of a call beforehand; decisions are made from it."""

    seconds: Annotated[Number, Field(ge=0, le=86_400)] | None = None
    input_tokens: int | None = Field(default=None, ge=0, le=10_000_000)
    output_tokens: int | None = Field(default=None, ge=0, le=10_000_000)


class _AnyNode(SpecModel):
    when: str | None = Field(default=None, description="one {{ expression }}; false skips the node")
    for_each: str | None = Field(default=None, description="one {{ expression }} that is a list")
    concurrency: int = Field(default=8, ge=1, le=1000, description="items of for_each at a time")
    speculate: bool = Field(default=True, description="false: never run it on a guess")
    equivalence: int = Field(
        default=1,
        ge=0,
        le=3,
        description="the highest tier at which a guess of its output may be right: 0 fields, 1 JSON, "
        "2 wording, 3 a model's word; above 1 for free text only",
    )
    timeout_seconds: float | None = Field(
        default=None, gt=0, le=86_400, description="of one attempt"
    )
    retries: int | None = Field(
        default=None, ge=0, le=100, description="after the first attempt; not on a guess"
    )
    estimate: Estimate = Estimate()


class ModelNode(_AnyNode, title="model node"):
    """A model call. Its output is a choice, JSON that fits the schema, or else text."""

    kind: ClassVar[Kind] = "model"

    model: ModelName
    prompt: Text = Field(description="template of the last user message")
    system: Text | None = Field(default=None, description="template of the system text")
    choices: Choices | None = None
    output_schema: dict[str, Any] | None = Field(
        default=None, alias="schema", description="JSON Schema of the output"
    )
    max_output_tokens: int | None = Field(
        default=None,
        ge=1,
        le=1_000_000,
        description="default 1024; with choices the longest choice plus 16",
    )
    temperature: float | None = Field(default=None, ge=0, le=2)
    guess: Guesses = ()

    @property
    def operation(self) -> str:
        """What it calls: `openai:sim-mid`."""
        return self.model

    @property
    def provider(self) -> str:
        """The part of `model` before the colon."""
        return self.model.partition(":")[0]

    @property
    def choice_tokens(self) -> int | None:
        """Upper bound on the tokens of a choice: no tokenizer yields more tokens than bytes."""
        return max(len(c.encode()) for c in self.choices) if self.choices else None

    @property
    def output_limit(self) -> int:
        """`max_output_tokens`, or its default."""
        if self.max_output_tokens is not None:
            return self.max_output_tokens
        longest = self.choice_tokens
        return DEFAULT_OUTPUT_TOKENS if longest is None else longest + TOKENS_BESIDE_CHOICE


class ToolNode(_AnyNode, title="tool node"):
    """A call of an operation registered as pure, read or idempotent."""

    kind: ClassVar[Kind] = "tool"

    tool: Text = Field(description="name of the operation")
    args: dict[str, Any] = Field(default={}, description="templates inside strings, at any depth")
    guess: Guesses = ()

    @property
    def operation(self) -> str:
        """What it calls: `kb.search`."""
        return self.tool


class EffectNode(_AnyNode, title="effect node"):
    """An operation registered as stageable or irreversible; committed behind the gate."""

    kind: ClassVar[Kind] = "effect"

    effect: Text = Field(description="name of the operation")
    args: dict[str, Any] = Field(default={}, description="templates inside strings, at any depth")
    approval_timeout_seconds: float | None = Field(
        default=None, gt=0, le=1e8, description="none: wait for ever"
    )

    @property
    def operation(self) -> str:
        """What it commits: `outbox.put`."""
        return self.effect

    @property
    def guess(self) -> Guesses:
        """A receipt is never guessed: nothing is speculated past an effect."""
        return ()


def _kind(raw: Any) -> Kind:
    """Of raw JSON when it is read, of a node when it is written."""
    return next(kind for kind in KINDS if kind in (raw if isinstance(raw, dict) else vars(raw)))


def _has_one_kind(raw: Any) -> Any:
    keys = list(object_of(raw, '{"model": ..., "prompt": ...}'))
    kinds = [repr(kind) for kind in KINDS if kind in keys]
    if len(kinds) > 1:
        raise complaint(f"has {' and '.join(kinds)}", "keep one of them")
    if not kinds:
        key = next((key for key in keys if closest(key, KINDS, "")), None)
        fix = closest(key, KINDS, "add one of them")
        problem = "has none of 'model', 'tool', 'effect'"
        raise complaint(f"{problem} (but {shown(key)})" if key else problem, fix)
    return raw


NodeSpec = Annotated[
    Annotated[ModelNode, Tag("model")]
    | Annotated[ToolNode, Tag("tool")]
    | Annotated[EffectNode, Tag("effect")],
    Discriminator(_kind),
    BeforeValidator(_has_one_kind),
]

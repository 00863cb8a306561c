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


ARGS = "its arguments; strings are templates, at any depth"
GUESSES = "how its output may be predicted, so that what uses it can run ahead"


class Estimate(SpecModel, title="estimate"):
    """What the author knows of a call beforehand; of an item, with `for_each`.

    Decisions are made from it. What is left out is taken from calls that the worker has seen, or
    from public figures of the model.
    """

    seconds: Annotated[Number, Field(ge=0, le=86_400)] | None = Field(
        default=None, description="how long it takes"
    )
    input_tokens: int | None = Field(
        default=None, ge=0, le=10_000_000, description="of the prompt and the system text"
    )
    output_tokens: int | None = Field(
        default=None, ge=0, le=10_000_000, description="of the answer, hidden reasoning included"
    )


class _AnyNode(SpecModel):
    when: str | None = Field(
        default=None, description="one `{{ expression }}`; false skips the node, and what uses it"
    )
    for_each: str | None = Field(
        default=None,
        description="one `{{ expression }}` that is a list: the node runs once for each `item`, "
        "at `index`, and its output is the list of outputs",
    )
    concurrency: int = Field(default=8, ge=1, le=1000, description="items of `for_each` at a time")
    speculate: bool = Field(default=True, description="false: it never runs on a guess")
    equivalence: int = Field(
        default=1,
        ge=0,
        le=3,
        description="the highest tier at which a guess of its output may be right: 0 in the fields "
        "that are used, 1 as JSON, 2 in other words, 3 in the judgement of a model; "
        "above 1 for free text only",
    )
    timeout_seconds: float | None = Field(
        default=None,
        gt=0,
        le=86_400,
        description="of one attempt; else what the operation declares, of a model 600",
    )
    retries: int | None = Field(
        default=None, ge=0, le=100, description="attempts after the first; else 3; none on a guess"
    )
    estimate: Estimate = Field(default=Estimate(), description="what its author knows of the call")


class ModelNode(_AnyNode, title="model node"):
    """A model call. Its output is a choice, JSON that fits the schema, or else text."""

    kind: ClassVar[Kind] = "model"

    model: ModelName
    prompt: Text = Field(description="template of the last user message, sent as it is")
    system: Text | None = Field(default=None, description="template of the system text")
    choices: Choices | None = Field(
        default=None, description="the model answers one of these, as a bare word"
    )
    output_schema: dict[str, Any] | None = Field(
        default=None, alias="schema", description="JSON Schema: the model answers JSON that fits it"
    )
    max_output_tokens: int | None = Field(
        default=None,
        ge=1,
        le=1_000_000,
        description="always sent; else 1024, with `choices` the longest of them plus 16",
    )
    temperature: float | None = Field(default=None, ge=0, le=2, description="sent if given")
    guess: Guesses = Field(default=(), description=GUESSES)

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
    """A call of an operation that is registered as `pure`, `read` or `idempotent`."""

    kind: ClassVar[Kind] = "tool"

    tool: Text = Field(description="the operation")
    args: dict[str, Any] = Field(default={}, description=ARGS)
    guess: Guesses = Field(default=(), description=GUESSES)

    @property
    def operation(self) -> str:
        """What it calls: `kb.search`."""
        return self.tool


class EffectNode(_AnyNode, title="effect node"):
    """An operation that is registered as `stageable` or `irreversible`, behind its gate.

    `timeout_seconds`, `retries` and `estimate` are those of its staging. A commit, which is approved
    and safe to repeat, has 20 attempts of 60 seconds at most.
    """

    kind: ClassVar[Kind] = "effect"

    effect: Text = Field(description="the operation")
    args: dict[str, Any] = Field(default={}, description=ARGS)
    approval_timeout_seconds: float | None = Field(
        default=None, gt=0, le=1e8, description="how long it waits for people; else for ever"
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

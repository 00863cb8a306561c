"""How a node's output may be predicted, in the words of a spec (design 5: `guess`)."""

from __future__ import annotations

from typing import Annotated, Any, Literal, cast

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag

from forerun.speculation.canonical import canonical
from forerun.workflows.spec_errors import closest, complaint, shown
from forerun.workflows.spec_values import ModelName, Name, Probability, SpecModel, Text, object_of

SOURCE = "the source"
STATED = "how probable it is; counts as ten observations, Beta(10p, 10(1 - p))"


class ValueGuess(SpecModel, title="value guess"):
    """A constant, where one answer is by far the most frequent."""

    source: Literal["value"] = Field(alias="from", description=SOURCE)
    value: Annotated[Any, AfterValidator(canonical)] = Field(
        description="what the node will output: one of its `choices`, what fits its `schema`, or text"
    )
    p: Probability = Field(description=STATED)


class NodeGuess(SpecModel, title="node guess"):
    """The output of another node, such as the draft that this node still checks."""

    source: Literal["node"] = Field(alias="from", description=SOURCE)
    node: Name = Field(description="the node whose output it will repeat; no effect, none below it")
    p: Probability = Field(description=STATED)


class ModelGuess(SpecModel, title="model guess"):
    """The answers of a cheaper model to the same prompt, bought where they pay for themselves."""

    source: Literal["model"] = Field(alias="from", description=SOURCE)
    model: ModelName
    k: int = Field(
        default=1, ge=1, le=16, description="how many answers to buy; those that agree add up"
    )
    p: Probability | None = Field(
        default=None, description="how probable it is that one of them is right; else 0.5"
    )


class StreamGuess(SpecModel, title="stream guess"):
    """What is certain of a choice, or of an object, while the node still streams it."""

    source: Literal["stream"] = Field(alias="from", description=SOURCE)
    field: Annotated[Text, AfterValidator(canonical)] | None = Field(
        default=None,
        description="the field that has to be complete; without it every field is followed",
    )
    p: Probability | None = Field(
        default=None, description="how probable it is that what has been streamed stays; else 0.98"
    )


class HistoryGuess(SpecModel, title="history guess"):
    """What the node answered before. Not supported yet: a spec with it is refused."""

    source: Literal["history"] = Field(alias="from", description=SOURCE)
    key: Text | None = Field(default=None, description="what earlier answers are looked up by")
    p: Probability | None = Field(default=None, description="where nothing has been learned yet")


class PatternGuess(SpecModel, title="pattern guess"):
    """The next tool call, derived from recent events. Not supported yet: a spec with it is refused."""

    source: Literal["pattern"] = Field(alias="from", description=SOURCE)
    p: Probability | None = Field(default=None, description="where nothing has been learned yet")


GUESS_SOURCES = ("value", "node", "model", "stream", "history", "pattern")


def _source(raw: Any) -> str:
    """Of raw JSON when it is read, of a guess when it is written."""
    return str(cast("Any", raw)["from"] if isinstance(raw, dict) else raw.source)


def _has_source(raw: Any) -> Any:
    """Checked before the union is resolved: a union's own complaint names neither key nor fix."""
    source = object_of(raw, '{"from": "value", ...}').get("from")
    if source in GUESS_SOURCES:
        return raw
    problem = f"{shown(source)} is not a source of guesses" if source else "'from' is missing"
    fix = closest(source, GUESS_SOURCES, f"write one of {', '.join(GUESS_SOURCES)}")
    raise complaint(problem, fix, value=shown(source or "from"), key="from")


Guess = Annotated[
    Annotated[ValueGuess, Tag("value")]
    | Annotated[NodeGuess, Tag("node")]
    | Annotated[ModelGuess, Tag("model")]
    | Annotated[StreamGuess, Tag("stream")]
    | Annotated[HistoryGuess, Tag("history")]
    | Annotated[PatternGuess, Tag("pattern")],
    Discriminator(_source),
    BeforeValidator(_has_source),
]
Guesses = Annotated[tuple[Guess, ...], Field(strict=False, fail_fast=True, max_length=100)]

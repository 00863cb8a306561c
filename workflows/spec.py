"""The spec: what a run is asked to do, as raw JSON from outside (design 5).

This is its face: parse one, check it against operations, print its JSON Schema. A parsed spec is
whole: every template compiles, every name is known, there is no cycle, and every guess could come
true.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from pydantic.json_schema import GenerateJsonSchema
from typing_extensions import override

from forerun.workflows.graph import Graph
from forerun.workflows.spec_checks import check_guessed_nodes, check_nodes, unsupported_features
from forerun.workflows.spec_errors import SpecError, validated
from forerun.workflows.spec_guesses import (
    Guess,
    HistoryGuess,
    ModelGuess,
    NodeGuess,
    PatternGuess,
    StreamGuess,
    ValueGuess,
)
from forerun.workflows.spec_limits import check_limits
from forerun.workflows.spec_model import PolicySpec, Spec
from forerun.workflows.spec_nodes import EffectNode, Estimate, ModelNode, NodeSpec, ToolNode
from forerun.workflows.spec_operations import check_operations

__all__ = [
    "EffectNode",
    "Estimate",
    "Guess",
    "HistoryGuess",
    "ModelGuess",
    "ModelNode",
    "NodeGuess",
    "NodeSpec",
    "PatternGuess",
    "PolicySpec",
    "Spec",
    "SpecError",
    "StreamGuess",
    "ToolNode",
    "ValueGuess",
    "check_operations",
    "parse_graph",
    "parse_spec",
    "spec_schema",
    "unsupported_features",
]


def parse_spec(raw: object) -> Spec:
    """The spec that `raw`, decoded JSON, stands for.

    Raises:
        SpecError: it stands for none.
    """
    return parse_graph(raw)[0]


def parse_graph(raw: object) -> tuple[Spec, Graph]:
    """The spec and its graph, which parsing needs anyway: a thousand nodes take a while to compile.

    Raises:
        SpecError: see `parse_spec`.
    """
    check_limits(raw)
    spec = validated(Spec, raw)
    check_nodes(spec)
    graph = Graph.of(spec)
    check_guessed_nodes(spec, graph)
    return spec, graph


def spec_schema() -> dict[str, Any]:
    """The JSON Schema of specs, for editors and for `forerun schema`."""
    schema = Spec.model_json_schema(by_alias=True, schema_generator=_WithoutFieldTitles)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **_plain(schema),
        "title": "forerun spec, version 1",
    }


class _WithoutFieldTitles(GenerateJsonSchema):
    """A key needs no second name."""

    @override
    def field_title_should_be_set(self, schema: object) -> bool:
        return False


def _plain(schema: Any) -> Any:
    """`schema` with bounds of Decimals in JSON Schema's words, and without `null` as a default."""
    if isinstance(schema, dict):
        entries = cast("dict[str, Any]", schema).items()
        kept = ((key, value) for key, value in entries if (key, value) != ("default", None))
        return {_BOUNDS.get(key, key): _plain(value) for key, value in kept}
    if isinstance(schema, list):
        return [_plain(item) for item in cast("list[Any]", schema)]
    return schema


_BOUNDS: Mapping[str, str] = {
    "ge": "minimum",
    "gt": "exclusiveMinimum",
    "le": "maximum",
    "lt": "exclusiveMaximum",
}

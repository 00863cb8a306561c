"""The spec: what a run is asked to do, as raw JSON from outside (design 5).

This is its face: parse one, check it against operations, print its JSON Schema. A parsed spec is
whole: every template compiles, every name is known, there is no cycle, and every guess could come
true.
"""

from __future__ import annotations

from typing import Any

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
    "parse_spec",
    "spec_schema",
    "unsupported_features",
]


def parse_spec(raw: object) -> Spec:
    """The spec that `raw`, decoded JSON, stands for.

    Raises:
        SpecError: it stands for none.
    """
    check_limits(raw)
    spec = validated(Spec, raw)
    check_nodes(spec)
    check_guessed_nodes(spec, Graph(spec))
    return spec


def spec_schema() -> dict[str, Any]:
    """The JSON Schema of specs, for editors and for `forerun schema`."""
    schema = Spec.model_json_schema(by_alias=True)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "forerun spec, version 1",
    }

"""The spec as a whole, and the policy that it starts with."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field

from forerun.workflows.spec_nodes import NodeSpec
from forerun.workflows.spec_values import Name, Number, Probability, SpecModel

MAX_NODES = 1_000


class PolicySpec(SpecModel, title="policy"):
    """The operator's dials. `alpha`, `usd_per_second` and `budget_usd` change on live runs too."""

    alpha: Annotated[Number, Field(ge=0, le=1)] = Field(
        default=Decimal("0.5"),
        description="the bar: EV has to reach (1 - alpha) * C, so 0 is most careful, 1 breaks even",
    )
    usd_per_second: Annotated[Number, Field(ge=0)] = Field(
        default=Decimal("0.01"), description="lambda: what a second saved is worth"
    )
    budget_usd: Annotated[Number, Field(ge=0)] = Field(
        default=Decimal("0.50"),
        description="most dollars that guesses may lose, worst case of what runs included; "
        "0: no speculation",
    )
    max_breadth: int = Field(
        default=3, ge=0, le=1000, description="guesses per node that are bet on"
    )
    max_depth: int = Field(default=3, ge=0, le=1000, description="assumptions per bet")
    p_bound: Probability | None = Field(
        default=None,
        description="decide on this quantile of what is believed of P, such as 0.1, not on its mean",
    )


class Spec(SpecModel, title="spec"):
    """A DAG of model calls, tools and effects, and what it is run with."""

    version: Literal[1] = Field(description="of this format")
    workload: Annotated[str, Field(min_length=1, max_length=200)] = Field(
        default="default",
        description="runs of one workload share what was learned, and are found by this name",
    )
    policy: PolicySpec = Field(default=PolicySpec(), description="what may be risked, and for what")
    input: Any = Field(default_factory=dict[str, Any], description="what templates call `input`")
    nodes: dict[Name, NodeSpec] = Field(
        min_length=1,
        max_length=MAX_NODES,
        json_schema_extra={"additionalProperties": False},
        description="by name: lower-case letters, digits and `_`, a letter first; "
        "edges are the names that templates use",
    )

    @property
    def operations(self) -> tuple[str, ...]:
        """The registered operations that its nodes name, sorted, each once."""
        named = (node.operation for node in self.nodes.values() if node.kind != "model")
        return tuple(sorted(set(named)))

"""The spec as a whole, and the policy that it starts with."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field

from forerun.workflows.spec_nodes import NodeSpec
from forerun.workflows.spec_values import Name, Number, Probability, SpecModel

MAX_NODES = 1_000


class PolicySpec(SpecModel, title="policy"):
    """The operator's dials. The first three can be changed while the run is live."""

    alpha: Annotated[Number, Field(ge=0, le=1)] = Field(
        default=Decimal("0.5"), description="0 is most careful, 1 bets at break-even"
    )
    usd_per_second: Annotated[Number, Field(ge=0)] = Field(
        default=Decimal("0.01"), description="what a second saved is worth, in dollars"
    )
    budget_usd: Annotated[Number, Field(ge=0)] = Field(
        default=Decimal("0.50"), description="dollars at risk or lost on guesses; 0: no speculation"
    )
    max_breadth: int = Field(default=3, ge=0, le=1000, description="guesses per node")
    max_depth: int = Field(default=3, ge=0, le=1000, description="assumptions per bet")
    p_bound: Probability | None = Field(
        default=None, description="decide on this lower credible bound of P, not on its mean"
    )


class Spec(SpecModel, title="spec"):
    """A DAG of model calls, tools and effects, and what it is run with."""

    version: Literal[1]
    workload: Annotated[str, Field(min_length=1, max_length=200)] = Field(
        default="default", description="runs of one workload share what was learned"
    )
    policy: PolicySpec = PolicySpec()
    input: Any = Field(default_factory=dict[str, Any], description="any JSON; `input` in templates")
    nodes: dict[Name, NodeSpec] = Field(
        min_length=1, max_length=MAX_NODES, json_schema_extra={"additionalProperties": False}
    )

    @property
    def operations(self) -> tuple[str, ...]:
        """The registered operations that its nodes name, sorted, each once."""
        named = (node.operation for node in self.nodes.values() if node.kind != "model")
        return tuple(sorted(set(named)))

"""A workflow that only parses, checks and renders: what the sandbox test runs."""

from __future__ import annotations

from typing import Any

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from forerun.workflows.graph import Graph
    from forerun.workflows.spec import SpecError, parse_spec, spec_schema


@workflow.defn(name="SpecInSandbox")
class SpecInSandbox:
    """Fails its workflow task, and so the replay, unless everything comes out as `expected`."""

    @workflow.run
    async def run(self, raw: dict[str, Any], expected: dict[str, Any]) -> None:
        """Whatever imports something lazily must be touched here."""
        spec_schema()
        node = Graph.of(parse_spec(raw)).nodes["draft"]
        values: dict[str, Any] = {"classify": {"label": "bug"}}
        refusals: list[str] = []
        for wrong in ({**raw, "version": 2}, {**raw, "nodes": {"a": {"model": "x:y"}}}):
            try:
                parse_spec(wrong)
            except SpecError as error:
                refusals.append(str(error))
        found = {
            "runs": node.runs(values),
            "prompt": node.render(values).arguments["prompt"],
            "refusals": refusals,
        }
        assert found == expected, found

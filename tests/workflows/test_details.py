"""User Metadata in the Temporal UI: the live ledger, as the worker answers for it."""

from __future__ import annotations

import json
import re

from forerun.workflows.details import NBSP
from tests.harness import Stack
from tests.workflows.auto_reply import AUTO_REPLY, Handle, answers, until_pending


async def details_of(handle: Handle) -> str:
    """What the UI asks for when it shows the tab."""
    metadata = await handle.query("__temporal_workflow_metadata")
    return metadata.current_details


async def test_what_waits_is_shown_with_the_signal_that_approves_it(
    stack: Stack, runs: list[Handle]
) -> None:
    """The JSON can be pasted into the signal form as it stands, but for the name."""
    stack.standin.set_rules(answers("billing", ttft_ms=50))
    handle = await stack.start(AUTO_REPLY)
    runs.append(handle)
    await until_pending(handle)

    before = await details_of(handle)
    found = re.search(r"^```\n(.*?)^```$", before, re.DOTALL | re.MULTILINE)
    assert found is not None
    await handle.signal("approve", json.loads(found[1].replace("YOUR NAME", "ann")))
    result = await handle.result()

    assert "send waits for the signal **approve** or **reject**" in before
    assert result["effects"]["send"]["by"] == "ann"
    assert "waits for the signal" not in await details_of(handle)


async def test_the_totals_are_bold_and_cells_are_padded(stack: Stack, runs: list[Handle]) -> None:
    """By the head of the table, which the UI draws bold; bare cells would stick together."""
    stack.standin.set_rules(answers("bug"))
    handle = await stack.start(AUTO_REPLY)
    runs.append(handle)
    await handle.signal("reject", {"node": "send", "by": "ann"})
    result = await handle.result()

    shown = await details_of(handle)
    tables = [line for line in shown.splitlines() if line.startswith("|")]
    cells = [cell for line in tables for cell in line.strip("|").split("|")]
    assert {cell for cell in cells if not cell.startswith(NBSP)} == {":--"}
    assert all(cell.count("$") < 2 for cell in cells)
    head = tables[tables.index("|:--|:--|") - 1].replace(NBSP, "")
    assert head == f"|spent|${float(result['ledger']['spent_usd']):.6f}|"
    assert "**LAUNCH**" in shown
    assert "**CUT**" in shown

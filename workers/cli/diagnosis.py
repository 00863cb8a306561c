"""How the findings of the doctor are shown: a line each, and under it what to type."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from rich.console import Console
from rich.text import Text

from forerun.workers.cli.printable import printable
from forerun.workers.doctor.examine import Order, examine
from forerun.workers.doctor.finding import Finding, State

STYLES = {State.OK: "green", State.WARN: "yellow", State.FAIL: "bold red"}


async def diagnose(env: Mapping[str, str], order: Order, *, as_json: bool) -> int:
    """Look at everything and show it; 0 if nothing fails."""
    findings = await examine(env, order)
    well = all(finding.state is not State.FAIL for finding in findings)
    if as_json:
        shown = {"ok": well, "findings": [asdict(finding) for finding in findings]}
        sys.stdout.write(json.dumps(shown, ensure_ascii=False, indent=2) + "\n")
    else:
        _show(findings)
    return 0 if well else 1


def _show(findings: Sequence[Finding]) -> None:
    console = Console(highlight=False)
    width = max(len(finding.subject) for finding in findings)
    for finding in findings:
        line = Text(f"{finding.state:<5}", style=STYLES[finding.state])
        said = ": ".join(part for part in (finding.what, finding.consequence) if part)
        line.append(f" {finding.subject:<{width}}  {printable(said)}", style="default")
        if finding.fix:
            line.append(f"\n{'':<{width + 6}}  → {printable(finding.fix)}", style="default")
        console.print(line, soft_wrap=True)

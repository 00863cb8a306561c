"""The demo does what it says, on an example whose models answer ten times faster."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from forerun.workers import demo as example
from forerun.workers.cli.demo import demo
from forerun.workers.settings import Settings


async def test_the_demo_compares_two_runs_that_did_the_same(
    temporal_cli: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Both times, the ledger, one committed effect for each run, and where to look at them."""
    rules = json.loads(example.RULES.read_text())
    for rule in rules:
        rule["ttft_ms"] /= 10
        rule["tokens_per_second"] *= 10
    fast = tmp_path / "fast.json"
    fast.write_text(json.dumps(rules))
    monkeypatch.setattr(example, "RULES", fast)

    assert await demo(Settings.from_env({"HOME": str(tmp_path)}), temporal_cli, keep=False) == 0

    said = capsys.readouterr().out
    assert "2 launched: 2 promoted" in said
    assert "outbox: 2 rows" in said
    for title in ("without speculation", "with speculation"):
        assert f"{title}  " in said
        assert f"/workflows/{title.replace(' ', '-')}\n" in said

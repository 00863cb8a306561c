"""When guesses are tested, and how much of that one workflow task has the time for."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from temporalio import workflow

from forerun.speculation.record import GuessTested
from forerun.workflows import settlement
from forerun.workflows.refutation import Refutation
from forerun.workflows.run_state import NodeState
from tests.workflows.surveyed import House, model

WIDE = 250


class Wide(House):
    """Many guessed nodes that one join reads; all guesses but the first are wrong."""

    def __init__(self) -> None:
        reviews = {f"r{i}": model("{{ root }}", ("ok", 0.9)) for i in range(WIDE)}
        join = model(" ".join(f"{{{{ {name} }}}}" for name in reviews))
        super().__init__({"root": model("c"), **reviews, "join": join})
        self.survey.look(max_depth=3)
        self.refutation = Refutation(self.nodes, self.table, self.guesses, self.planner)

    def end(self, count: int) -> None:
        for i in range(count):
            run = self.nodes[f"r{i}"]
            run.state, run.output = NodeState.DONE, "poor" if i else "ok"

    def parts(self) -> list[list[GuessTested]]:
        return list(
            settlement.tested(self.guesses.values(), self.nodes, self.table, self.refutation, ())
        )


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> Wide:
    monkeypatch.setattr(workflow, "now", lambda: datetime(2026, 1, 1, tzinfo=UTC))
    return Wide()


def test_a_guess_is_tested_once_all_that_its_reader_reads_is_certain(house: Wide) -> None:
    """Before that nobody knows what it would have led to; there is one part in any case."""
    house.end(WIDE - 1)
    assert house.parts() == [[]]

    house.end(WIDE)
    found = [test for part in house.parts() for test in part]

    assert [test.guess for test in found] == list(house.guesses)
    assert [test.right for test in found] == [True] + [False] * (WIDE - 1)


def test_no_part_takes_more_than_a_workflow_task_has_time_for(house: Wide) -> None:
    """A thousand wrong guesses of one join are a thousand renderings of it."""
    house.end(WIDE)
    parts = house.parts()

    def effort(part: list[GuessTested]) -> int:
        return sum(house.refutation.effort(house.guesses[test.guess]) for test in part)

    assert len(parts) > 1
    assert all(0 < effort(part) <= settlement.EFFORT_PER_TASK for part in parts)
    assert (
        house.refutation.effort(house.guesses[parts[0][0].guess]) == 0
    )  # right: nothing to render

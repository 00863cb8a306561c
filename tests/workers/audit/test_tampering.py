"""Whoever alters one thing in a history is found out, and told where."""

from __future__ import annotations

import pytest

from forerun.workers.audit.auditor import audit
from forerun.workers.audit.report import Report
from tests.forging import Forged
from tests.workers.audit.tamperings import TAMPERINGS, Tampering


@pytest.mark.parametrize("tampering", TAMPERINGS, ids=lambda one: one.name)
async def test_what_is_altered_is_named(tampering: Tampering) -> None:
    """The right check speaks up at the right event."""
    forged = Forged(tampering.history)
    event = tampering.alter(forged)

    report = await audit(forged.history())

    assert _named(report, int(event["eventId"]), tampering.check), _told(report)


@pytest.mark.parametrize("tampering", TAMPERINGS, ids=lambda one: one.name)
async def test_recomputing_the_record_chain_does_not_help(tampering: Tampering) -> None:
    """Also where all hashes are made to match: then the law itself is broken, and not the seal."""
    forged = Forged(tampering.history)
    event = tampering.alter(forged)
    forged.reseal()

    report = await audit(forged.history())

    checks = {one.check for one in report.violations}
    assert not checks & {"previous", "sha256", "last_record"}, _told(report)
    assert _named(report, int(event["eventId"]), tampering.check), _told(report)


def test_no_two_kinds_have_one_name() -> None:
    """They are counted in reports."""
    assert len({tampering.name for tampering in TAMPERINGS}) == len(TAMPERINGS)


def _named(report: Report, event_id: int, check: str) -> bool:
    return any(
        one.event_id == event_id and (one.check == check or one.check.startswith(f"{check}."))
        for one in report.violations
    )


def _told(report: Report) -> str:
    return "\n".join(map(str, report.violations)) or "clean"

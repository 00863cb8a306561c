"""Reading what the doctor found."""

from __future__ import annotations

from collections.abc import Sequence

from forerun.workers.doctor.finding import Finding


def of(subject: str, findings: Sequence[Finding]) -> Finding:
    """The first finding whose subject begins so."""
    return next(finding for finding in findings if finding.subject.startswith(subject))

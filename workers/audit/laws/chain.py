"""The record chain: no record altered, left out, or written twice unnoticed (design 4.1).

Hashes are taken of the stored values as they are. The last one is in the run's result.
"""

from __future__ import annotations

from collections.abc import Iterator

from forerun.speculation.record import GENESIS, seal_of
from forerun.workers.audit.payloads import object_of
from forerun.workers.audit.run import Run
from forerun.workers.audit.violation import Violation, unless_equal, violation


def check(run: Run) -> Iterator[Violation]:
    """Each record carries the hash of the one before it and its own; the result, the last one."""
    previous = GENESIS
    for entry in run.entries:
        record = object_of(entry.raw)
        node, at = entry.node, entry.event_id
        yield from unless_equal(at, node, "previous", previous, record.get("previous"))
        try:
            yield from unless_equal(at, node, "sha256", seal_of(record), record.get("sha256"))
        except ValueError as error:
            yield violation(at, node, "sha256", "a record of JSON", f"{error}")
        previous = record.get("sha256")
    result = run.close.result or {}
    if "last_record" in result:
        yield from unless_equal(
            run.close.event_id, "", "last_record", previous, result["last_record"]
        )

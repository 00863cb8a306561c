"""One thing altered in a real history, in every way that we could think of."""

from __future__ import annotations

from tests.workers.audit.tampered_calls import CALLS
from tests.workers.audit.tampered_decisions import DECISIONS
from tests.workers.audit.tampered_ends import ENDS
from tests.workers.audit.tampered_records import RECORDS

TAMPERINGS = [*DECISIONS, *RECORDS, *CALLS, *ENDS]

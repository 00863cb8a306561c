"""What a child process wrote lately to the file that is its stdout and stderr.

Parent and child share one file offset, so a seek of ours would move where the child writes next:
hence `pread`.
"""

from __future__ import annotations

import os
from typing import IO

TAIL_BYTES = 2_000


def last_output(log: IO[bytes]) -> str:
    """The end of `log`, at most 2,000 bytes of it, without surrounding blanks."""
    size = os.fstat(log.fileno()).st_size
    tail = os.pread(log.fileno(), TAIL_BYTES, max(0, size - TAIL_BYTES))
    return tail.decode(errors="replace").strip()

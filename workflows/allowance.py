"""How much one workflow task may start: the server bounds the message that all its commands leave in.

Calls and commits share it. What has no room waits for the next task; a run that ignored this would
be terminated by the server, with nothing settled.
"""

from __future__ import annotations

from temporalio import workflow

from forerun.workflows.options import ARGUMENT_BYTES_PER_TASK, LAUNCHES_PER_TASK


class Allowance:
    """Launches and argument bytes left in the workflow task of now."""

    def __init__(self) -> None:
        self._task = -1
        self._launches = 0
        self._bytes = 0

    def take(self, argument_bytes: int) -> bool:
        """Take room for one launch; False if this task has none left.

        The history length stands still within a task, so it tells tasks apart, on replay as well.
        """
        task = workflow.info().get_current_history_length()
        if task != self._task:
            self._task, self._launches, self._bytes = task, 0, 0
        fits = self._bytes + argument_bytes <= ARGUMENT_BYTES_PER_TASK or not self._launches
        if self._launches >= LAUNCHES_PER_TASK or not fits:
            return False
        self._launches += 1
        self._bytes += argument_bytes
        return True

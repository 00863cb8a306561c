"""Every timeout, retry, lane and limit of a run, each with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

from temporalio import workflow
from temporalio.common import Priority, RetryPolicy

WORKFLOW_QUEUE = "forerun"
CALLS_QUEUE = "forerun-calls"
SPECULATIVE_QUEUE = "forerun-speculative"
COMMIT_QUEUE = "forerun-commit"

HEARTBEAT_TIMEOUT = timedelta(seconds=10)
"""A dead worker costs this much. The throttle on the worker (250 ms) decides how fast a cut is."""

MODEL_TIMEOUT_SECONDS = 600.0
DEFAULT_RETRIES = 3

LAUNCHES_PER_TASK = 64
ARGUMENT_BYTES_PER_TASK = 1_000_000
"""The server terminates a run whose workflow task completion outgrows gRPC's 4 MB."""

NEXT_TASK = timedelta(milliseconds=1)
"""A timer ends a workflow task: what it had no room for goes into the next."""

EVENTS_BEFORE_SPECULATION_STOPS = 30_000
"""Of 51,200 that a history may have: a speculation costs about 13, an ordinary call 6."""
BYTES_BEFORE_SPECULATION_STOPS = 30_000_000
"""Of 50 MB."""
MOST_LIVE_SPECULATIONS = 500
"""Of 2,000 activities that may be pending at once; certain work needs room too."""

BETS_PER_BATCH = 24
"""Records of about 3 KB each: a marker stays below 128 KB."""
RECORDS_PER_MARKER = 64
"""Outcomes and tested guesses, of about 1 KB each."""

# A commit is tried for long: it is approved, wanted, and safe to repeat by its idempotency key.
COMMIT_RETRY = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_attempts=20)
COMMIT_TIMEOUT = timedelta(seconds=60)

# Nobody waits for a discard but the end of the run. What it cannot reach, a sweep finds.
DISCARD_TIMEOUT = timedelta(minutes=2)
DISCARD_RETRY = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_attempts=10)

# Local activities touch memory only. One that fails (a worker out of memory, say) may be repeated.
LOCAL_TIMEOUT = timedelta(seconds=10)
LOCAL_RETRY = RetryPolicy(initial_interval=timedelta(milliseconds=100), maximum_attempts=5)

# A claimed call that is still queued may have no worker in its lane: the promotion that moves it is
# tried for as long as an outage of the server may take.
PROMOTION_TIMEOUT = timedelta(minutes=10)
PROMOTION_RETRY = RetryPolicy(maximum_interval=timedelta(seconds=5))

ERRAND_TIMEOUT = timedelta(seconds=10)
ERRAND_RETRY = RetryPolicy(maximum_attempts=3)
"""For short activities beside the critical path: their loss costs time or comfort, never truth."""


# A verdict that comes late is worth nothing: what waits for it could have been run afresh meanwhile.
COMPARISON_TIMEOUT = timedelta(seconds=10)
COMPARISON_RETRY = RetryPolicy(maximum_attempts=1)


@dataclass(frozen=True, slots=True)
class LaneOptions:
    """Where calls of a lane run, and how far up the queue."""

    task_queue: str
    priority: Priority


class Lane(Enum):
    """Guesses never queue in front of work that is certain.

    Stages are made where their commits are, which go first: only that role reaches what they are
    made in.
    """

    AUTHORITATIVE = LaneOptions(CALLS_QUEUE, Priority(priority_key=1))
    SPECULATIVE = LaneOptions(SPECULATIVE_QUEUE, Priority(priority_key=5))
    STAGING = LaneOptions(COMMIT_QUEUE, Priority(priority_key=5))


# WAIT, never ABANDON: an abandoned activity that fails later wedges the workflow task for good, and
# only a waited-for cancel brings back what the cut call had spent (temporal.md 1.1).
CANCELLATION = workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOptions:
    """What a node says about its own calls."""

    timeout_seconds: float
    retries: int = DEFAULT_RETRIES

    def retry_policy(self, lane: Lane) -> RetryPolicy:
        """Finite for certain work; a speculation has one attempt: a retry would be a second bet."""
        attempts = self.retries + 1 if lane is Lane.AUTHORITATIVE else 1
        return RetryPolicy(initial_interval=timedelta(seconds=1), maximum_attempts=attempts)

"""One line for a failure: what people read in the result and in the error of a run."""

from __future__ import annotations

from temporalio.exceptions import ActivityError, ApplicationError, TimeoutError

LENGTH = 300


def message_of(failure: ActivityError) -> str:
    """The cause of an activity's failure in one line, its type first."""
    cause = failure.cause or failure
    if isinstance(cause, ApplicationError):
        words = f"{cause.type}: {cause.message}" if cause.type else cause.message
    elif isinstance(cause, TimeoutError):
        kind = cause.type.name.lower().replace("_", " ") if cause.type else "unknown"
        words = f"timed out ({kind})"
    else:
        words = str(cause) or type(cause).__name__
    line = " ".join(words.split())
    return line if len(line) <= LENGTH else f"{line[: LENGTH - 1]}…"

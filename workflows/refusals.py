"""What is wrong with a spec, or with how a workflow declares its steps, as the run's own failure.

Any other error in a workflow would retry its task for ever.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from temporalio.exceptions import ApplicationError

from forerun.workflows.spec_errors import SpecError

INVALID_SPEC = "InvalidSpec"


def misused(problem: str) -> ApplicationError:
    """The error of a workflow that says what cannot be."""
    return ApplicationError(problem, type=INVALID_SPEC, non_retryable=True)


@contextmanager
def refusing() -> Generator[None]:
    """A spec error as the one line that fails the run."""
    try:
        yield
    except SpecError as error:
        raise misused(str(error)) from None

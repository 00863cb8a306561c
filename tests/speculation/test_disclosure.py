"""What may be sent on a guess: nothing that is redacted, deferred or blocked, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forerun.speculation.disclosure import ALLOW, BLOCK, DEFER, Disclosure, redact, withheld

PATHS = ["query", "customer", "customer.email", "customer.name", "items", "items[0].email"]
GUESSED = st.lists(st.sampled_from(PATHS), unique=True)
POLICIES = st.sampled_from(
    [ALLOW, redact("customer.email"), redact("items", "query"), DEFER, BLOCK]
)


@given(GUESSED)
def test_open_and_closed(guessed: list[str]) -> None:
    """What is allowed is always sent; what is blocked never, even with nothing guessed in it."""
    assert withheld(ALLOW, guessed) is None
    assert withheld(BLOCK, guessed) == "disclosure: block"


@given(GUESSED)
def test_deferred(guessed: list[str]) -> None:
    """A deferred call is sent once all its arguments are certain."""
    assert (withheld(DEFER, guessed) is None) is (not guessed)


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("customer.email", False),
        ("customer", False),
        ("customer.email.domain", False),
        ("customer.email[0]", False),
        ("", False),
        ("customer.name", True),
        ("customer.emails", True),
        ("query", True),
    ],
)
def test_redacted(path: str, *, sent: bool) -> None:
    """A guess in a redacted argument, in something in it or around it, holds the call."""
    reason = withheld(redact("customer.email"), [path])
    assert (reason is None) is sent
    assert sent or reason == f"disclosure: redact {path or 'all'} until it is certain"


@given(POLICIES, GUESSED, GUESSED)
def test_certainty_only_opens(policy: Disclosure, guessed: list[str], more: list[str]) -> None:
    """A call that may be sent with some guesses in it may be sent with fewer."""
    if withheld(policy, [*guessed, *more]) is None:
        assert withheld(policy, guessed) is None


@given(POLICIES, GUESSED)
def test_from_open_to_closed(policy: Disclosure, guessed: list[str]) -> None:
    """Whatever is sent deferred is sent redacted, and whatever is blocked is sent by none else."""
    if withheld(DEFER, guessed) is None and policy != BLOCK:
        assert withheld(policy, guessed) is None

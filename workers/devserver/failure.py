"""The errors of this package: one for the outside, one between its modules.

DevServerError       complete message for the user: what failed, why, what to do
CliUnusable          one way to a Temporal CLI did not work; the next way may
"""

from __future__ import annotations


class DevServerError(Exception):
    """The Temporal CLI cannot be had, or its dev server cannot run. Show the message as it is."""


class CliUnusable(Exception):
    """Why one way to a Temporal CLI did not work, as the end of a sentence."""

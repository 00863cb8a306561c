"""What `from forerun import ...` offers is there, and is what stands in the type checker's imports."""

from __future__ import annotations

import pytest

import forerun


@pytest.mark.parametrize("name", forerun.__all__)
def test_every_public_name_is_found(name: str) -> None:
    """By name, as the module looks them up when they are first used."""
    assert getattr(forerun, name).__doc__

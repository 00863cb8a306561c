"""Declaring effects that can be staged: all three parts of each, in the form they are called in."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Any

import pytest

from forerun.activities.registration import Commit, RegistrationError, operation
from forerun.activities.registry import Registry
from forerun.activities.stageable import Stage, discards, lists_stages, stages
from forerun.speculation.effect_class import EffectClass
from tests.activities.tickets import Ticket, tool


@operation("tickets.draft", version="1", effect=EffectClass.STAGEABLE)
async def put(arguments: Ticket, commit: Commit) -> dict[str, Any]:
    raise NotImplementedError


@stages(put)
async def stage(arguments: Ticket, stage: Stage) -> None: ...


@discards(put)
async def discard(stage: Stage) -> None: ...


@lists_stages(put)
async def staged(before: datetime) -> list[Stage]:
    return []


class Half:
    """Declares an effect that can be staged, and never thrown away."""

    @operation("tickets.half", version="1", effect=EffectClass.STAGEABLE)
    async def put(self, arguments: Ticket, commit: Commit) -> dict[str, Any]:
        raise NotImplementedError

    @stages(put)
    async def stage(self, arguments: Ticket, stage: Stage) -> None: ...

    @stages(put)
    async def stage_again(self, arguments: Ticket, stage: Stage) -> None: ...


class Third:
    """Declares only that it is stageable."""

    @operation("tickets.third", version="1", effect=EffectClass.STAGEABLE)
    async def put(self, arguments: Ticket, commit: Commit) -> dict[str, Any]:
        raise NotImplementedError


def test_stageable_effects_are_whole() -> None:
    """What cannot be discarded and found again is not stageable: the error says what is missing."""
    _, staging = Registry.of(sys.modules[__name__]).stageable("tickets.draft", "1")
    assert (staging.stage, staging.discard, staging.staged) == (stage, discard, staged)
    with pytest.raises(RegistrationError, match="two functions for stage: leave one out"):
        Registry.of(Half())
    lacks = "lacks @stages and @discards and @lists_stages"
    with pytest.raises(RegistrationError, match=lacks) as raised:
        Registry.of(Third())
    assert "'tickets.third'" in str(raised.value)
    assert "Third.put" in str(raised.value)


def test_parts_of_what_is_not_stageable() -> None:
    """Staging is declared for a stageable effect, in the form that it is called in."""
    with pytest.raises(RegistrationError, match=r"@stages.*no stageable effect"):
        stages(tool)
    with pytest.raises(RegistrationError, match="discard_two must be async, with the parameters"):

        @discards(put)
        async def discard_two(stage: Stage, other: Stage) -> None: ...

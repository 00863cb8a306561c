"""The tool that tests of declarations declare, rightly or wrongly."""

from __future__ import annotations

from typing import Any

from forerun.activities.registration import Arguments


class Ticket(Arguments):
    number: int


async def tool(arguments: Ticket) -> Any: ...

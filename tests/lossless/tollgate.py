"""A tool that costs money and refuses some arguments.

So a call on a wrong guess may fail where the true one does not, and the other way round.
"""

from __future__ import annotations

import asyncio

from temporalio.exceptions import ApplicationError

from forerun.activities.registration import Arguments, operation
from forerun.speculation.effect_class import EffectClass

TOLL_USD = "0.0007"


class Toll(Arguments):
    """`text` passes after `seconds`, unless it holds a letter of `taboo`."""

    text: str
    taboo: str = ""
    seconds: float = 0.0


@operation("lossless.toll", version="1", effect=EffectClass.IDEMPOTENT, usd=TOLL_USD, seconds=0.1)
async def toll(arguments: Toll) -> str:
    """The text as it came."""
    await asyncio.sleep(arguments.seconds)
    if set(arguments.taboo) & set(arguments.text):
        raise ApplicationError("taboo", type="Taboo", non_retryable=True)
    return arguments.text

"""A tool that talks: by structlog, and by the standard library's logging, as users' tools do."""

from __future__ import annotations

import logging

import structlog

from forerun.activities.registration import Arguments, operation
from forerun.speculation.effect_class import EffectClass


class Say(Arguments):
    """What to say."""

    word: str


@operation("say", version="1", effect=EffectClass.PURE, usd="0.25", seconds=0.01)
async def say(arguments: Say) -> str:
    """The word, logged twice."""
    structlog.get_logger("theirs").info("said.it", by="structlog")
    logging.getLogger("theirs").info("said.it", extra={"by": "logging"})
    return arguments.word

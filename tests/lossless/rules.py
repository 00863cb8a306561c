"""What the models of a case say, as rules of the stand-in.

An answer depends on the prompt alone: rules tell prompts apart by whether they hold an even number
of some letter. So a call on a wrong guess mostly has another answer than the true one, and fails
where the other does not.
"""

from __future__ import annotations

import random
import re
from typing import Any

from forerun.workers.standin.tokenizer import tokenize

LETTERS = "aeionrt"
TRANSIENT = ("429", "500", "reset", "truncate", "sse_error")
NO_CHOICE = "none of them"
REPLIES = 3
"""To one node: for two letters, and for all other prompts."""

Rule = dict[str, Any]


class Rulebook:
    """Writes the rules of one case, with at most `faults` faults that strike once."""

    def __init__(self, rng: random.Random, faults: int) -> None:
        self._rng = rng
        self._faults_left = faults

    def write(self, name: str, spec: dict[str, Any], replies: list[str]) -> list[Rule]:
        """The rules for the model node `name`; one that may fail for good is not retried."""
        start = rf"^{name} about "
        struck = self._faults_left > 0 and self._rng.random() < 0.35
        rules: list[Rule] = []
        if struck:
            self._faults_left -= 1
            fault = self._rng.choice(TRANSIENT)
            rules.append({"match": start, "times": 1, "fault": fault, **self._pace()})
        letters = [_even(letter) for letter in self._rng.sample(LETTERS, REPLIES - 1)]
        for rest, reply in zip([*letters, ""], replies, strict=True):
            if not struck and self._rng.random() < 0.05:
                spec["retries"] = 0
                rules.append({"match": start + rest, **self._failure(spec), **self._pace()})
            else:
                rules.append({"match": start + rest, "reply": reply, **self._pace()})
        return rules

    def _pace(self) -> Rule:
        speed = self._rng.choice([30, 200, 2000])
        return {"ttft_ms": self._rng.randint(10, 300), "tokens_per_second": speed}

    def _failure(self, spec: dict[str, Any]) -> Rule:
        if "choices" in spec and self._rng.random() < 0.5:
            return {"reply": NO_CHOICE}
        return {"fault": "500"}


def answer(rules: list[Rule], spec: dict[str, Any], prompt: str) -> str | None:
    """What a node is answered in the end; None if it fails."""
    rule = next(r for r in rules if "times" not in r and re.search(r["match"], prompt))
    if "fault" in rule or rule["reply"] == NO_CHOICE:
        return None
    if "choices" in spec:
        return rule["reply"]
    return cut(rule["reply"], spec["max_output_tokens"])


def cut(reply: str, tokens: int) -> str:
    """What arrives of a reply of which so many tokens are allowed."""
    return "".join(tokenize(reply)[:tokens])


def _even(letter: str) -> str:
    """Matches the rest of a prompt that holds an even number of a letter."""
    return f"[^{letter}]*(?:{letter}[^{letter}]*{letter}[^{letter}]*)*$"

"""What the models of a case say, as rules of the stand-in.

An answer depends on the prompt alone: rules tell prompts apart by whether they hold an even number
of some letter. So a call on a wrong guess mostly has another answer than the true one, and fails
where the other does not.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from typing import Any

from forerun.workers.standin.tokenizer import tokenize

LETTERS = "aeionrt"
TRANSIENT = ("429", "500", "reset", "truncate", "sse_error")
NO_OUTPUT = "none of them"
"""Neither one of any choices, nor JSON."""

REPLIES = 3
"""To one node: for two letters, and for all other prompts."""

Rule = dict[str, Any]


class Rulebook:
    """Writes the rules of one case, with at most `faults` faults that strike once."""

    def __init__(self, rng: random.Random, faults: int) -> None:
        self._rng = rng
        self._faults_left = faults

    def write(self, name: str, spec: dict[str, Any], replies: Sequence[Any]) -> list[Rule]:
        """The rules for the model node `name`; one that may fail for good is not retried.

        A fault that strikes once may do so amid a reply that is not the one in the end.
        """
        start = rf"^{name} about "
        struck = self._faults_left > 0 and self._rng.random() < 0.35
        rules: list[Rule] = []
        if struck:
            self._faults_left -= 1
            fault, reply = self._rng.choice(TRANSIENT), self._rng.choice(replies)
            rule = {"match": start, "times": 1, "fault": fault, "reply": reply}
            rules.append({**rule, **self._pace()})
        letters = [_even(letter) for letter in self._rng.sample(LETTERS, REPLIES - 1)]
        for rest, reply in zip([*letters, ""], replies, strict=True):
            if not struck and self._rng.random() < 0.05:
                spec["retries"] = 0
                rules.append({"match": start + rest, **self._failure(spec), **self._pace()})
            else:
                rules.append({"match": start + rest, "reply": reply, **self._pace()})
        return rules

    def sell(self, name: str, model: str, replies: Sequence[Any]) -> list[Rule]:
        """What another model answers to the same prompts: one of `replies` after the other."""
        rules: list[Rule] = []
        for reply in replies:
            said = {"fault": "500"} if self._rng.random() < 0.1 else {"reply": reply}
            rule = {"match": rf"^{name} about ", "model": model.partition(":")[2], "times": 1}
            rules.append({**rule, **said, **self._pace()})
        return rules

    def _pace(self) -> Rule:
        speed = self._rng.choice([20, 60, 2000])
        return {"ttft_ms": self._rng.randint(10, 300), "tokens_per_second": speed}

    def _failure(self, spec: dict[str, Any]) -> Rule:
        if ("choices" in spec or "schema" in spec) and self._rng.random() < 0.5:
            return {"reply": NO_OUTPUT}
        return {"fault": "500"}


def answer(rules: list[Rule], spec: dict[str, Any], prompt: str) -> Any:
    """What a node is answered in the end; None if it fails."""
    matching = (r for r in rules if "times" not in r and re.search(r["match"], prompt))
    rule = next(matching)
    if "fault" in rule or rule["reply"] == NO_OUTPUT:
        return None
    return arriving(spec, rule["reply"])


def arriving(spec: dict[str, Any], reply: Any) -> Any:
    """What arrives of a reply: of a text, as many tokens as are allowed."""
    most = spec.get("max_output_tokens")
    return reply if most is None else "".join(tokenize(reply)[:most])


def _even(letter: str) -> str:
    """Matches the rest of a prompt that holds an even number of a letter."""
    return f"[^{letter}]*(?:{letter}[^{letter}]*{letter}[^{letter}]*)*$"

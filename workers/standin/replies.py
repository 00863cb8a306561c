"""What the stand-in says: the scripted reply in the scripted number of tokens, or a made-up one.

Three things follow from "usage equals what is delivered":

- A reply shorter than its `output_tokens` is padded with blank lines, which change neither a choice
  nor JSON nor the meaning of a text. A longer text is cut. A longer JSON or one-word reply is told
  in fewer, larger pieces, since half of it would be another answer.
- The requested maximum cuts anything, JSON too, with the vendor's length reason.
- A reasoning model's hidden tokens count against that maximum, but never take more than half of it.
"""

from __future__ import annotations

import hashlib
import json
import random
from dataclasses import dataclass

from forerun.workers.standin.tokenizer import BLANK, tokenize

_WORDS = (  # noqa: SIM905 - ninety quoted words would hide the list
    "a account after all an and answer any are as at be before but by can case change charge check "
    "clear close copy credit date day did do due each email end entry fee first for from get given "
    "has have how if in invoice is issue it item its known last let limit list may message month "
    "more new next no not note now number of on one or order our out part payment plan point record "
    "refund reply report result see set so step support system team than that the then they this "
    "to total two up us was we week were what when will with you your"
).split()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A finished answer: visible tokens, the count of hidden ones, and whether it was cut short."""

    tokens: tuple[str, ...]
    hidden_tokens: int = 0
    cut_at_maximum: bool = False

    @property
    def text(self) -> str:
        """What the caller reads."""
        return "".join(self.tokens)

    @property
    def output_tokens(self) -> int:
        """What the caller pays for: visible and hidden."""
        return len(self.tokens) + self.hidden_tokens


def scripted(reply: object, output_tokens: int | None) -> tuple[str, ...]:
    """The tokens of a rule's reply (text, or JSON sent as its compact text)."""
    text = reply if isinstance(reply, str) else _compact(reply)
    tokens = tokenize(text)
    if output_tokens is None or len(tokens) == output_tokens:
        return tokens
    if len(tokens) < output_tokens:
        return tokens + (BLANK,) * (output_tokens - len(tokens))
    if _breaks_when_cut(text):
        return _merged(tokens, output_tokens)
    return tokens[:output_tokens]


def made_up(prompt: str, output_tokens: int | None) -> tuple[str, ...]:
    """A text that only the prompt decides, 40 to 160 tokens long unless told otherwise."""
    rng = random.Random(hashlib.sha256(prompt.encode()).digest())
    length = rng.randint(40, 160)
    words = [rng.choice(_WORDS) for _ in range(length if output_tokens is None else output_tokens)]
    return tokenize(" ".join(words).capitalize())


def limited(tokens: tuple[str, ...], hidden_tokens: int, maximum: int | None) -> Reply:
    """The part of an answer that fits into the requested maximum."""
    if maximum is None:
        return Reply(tokens=tokens, hidden_tokens=hidden_tokens)
    hidden = min(hidden_tokens, maximum // 2)
    room = maximum - hidden
    return Reply(tokens=tokens[:room], hidden_tokens=hidden, cut_at_maximum=len(tokens) > room)


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _breaks_when_cut(text: str) -> bool:
    if not any(character.isspace() for character in text.strip()):
        return True
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _merged(tokens: tuple[str, ...], count: int) -> tuple[str, ...]:
    bounds = [len(tokens) * i // count for i in range(count + 1)]
    return tuple("".join(tokens[bounds[i] : bounds[i + 1]]) for i in range(count))

"""The steps that the measured DAGs are made of, as they are in real life: seconds and tokens.

What a step answers is planted in the input of its run, where only the stand-in looks: so the hit
rate of its guesses is a fact of the inputs, and not of luck.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from forerun.workers.standin.profiles import PROFILES

ONE_GUESS = (Fraction(1),)
THREE_GUESSES = (Fraction(60, 100), Fraction(25, 100), Fraction(15, 100))

GUESSED = ("usual", "second", "third")
"""The answers that are guessed, the likeliest first."""
MISS = "rare"
"""The answer that nobody guesses."""
ASTRAY = "astray"
"""What a step answers whose inputs are wrong: nothing right ever comes of a wrong guess."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One call. `shares` are those that its guesses have in the hit rate; none: it is not guessed.

    A `verdict` is an answer with its reasons, of which only the answer is read; a `text` is read
    whole; a `check` hands on the text of the first step it reads, unchanged where the guess is right.
    """

    kind: Literal["verdict", "text", "check", "tool"]
    reads: tuple[str, ...] = ()
    model: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    tool_seconds: float = 0.0
    shares: tuple[Fraction, ...] = ()

    @property
    def seconds(self) -> float:
        """What it takes at the median."""
        if self.kind == "tool":
            return self.tool_seconds
        return self.first_token_seconds + self.output_tokens / self.tokens_per_second

    @property
    def first_token_seconds(self) -> float:
        """Until its model says anything."""
        return PROFILES[_name(self.model)].ttft_seconds

    @property
    def tokens_per_second(self) -> float:
        """From then on."""
        return PROFILES[_name(self.model)].tokens_per_second

    @property
    def answers(self) -> tuple[str, ...]:
        """What it may say: each guess, and what nobody guesses."""
        return (*GUESSED[: len(self.shares)], MISS) if self.shares else (GUESSED[0],)


Shape = dict[str, Step]
"""A DAG by the names of its steps, each after those it reads."""


def verdict(
    model: str,
    *reads: str,
    output: int = 60,
    input: int = 1200,
    shares: tuple[Fraction, ...] = ONE_GUESS,
) -> Step:
    """A router, a planner or a judge: one word out of a few, and why."""
    return Step(
        kind="verdict",
        reads=reads,
        model=model,
        input_tokens=input,
        output_tokens=output,
        shares=shares,
    )


def text(model: str, *reads: str, output: int = 300, input: int = 1500) -> Step:
    """Prose, which nobody can guess."""
    return Step(kind="text", reads=reads, model=model, input_tokens=input, output_tokens=output)


def check(model: str, *reads: str, output: int = 300, input: int = 1500) -> Step:
    """A verifier: the text of the first step it reads, corrected where that is needed."""
    return Step(
        kind="check",
        reads=reads,
        model=model,
        input_tokens=input,
        output_tokens=output,
        shares=ONE_GUESS,
    )


def tool(seconds: float, *reads: str, shares: tuple[Fraction, ...] = ()) -> Step:
    """A look-up; guessed only where it mostly says the same."""
    return Step(kind="tool", reads=reads, tool_seconds=seconds, shares=shares)


def _name(model: str) -> str:
    return model.partition(":")[2]

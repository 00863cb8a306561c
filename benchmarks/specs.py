"""From a shape to what runs it: a spec for forerun, and rules for the stand-in.

A run is a model of a longer one: its seconds and its tokens are shortened, each by one factor in all
arms. Dollars per second are shortened with them, so that whatever the rule weighs against each
other weighs the same as in the run of full length.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from benchmarks.cases import PACES, Case
from benchmarks.steps import ASTRAY, GUESSED, MISS, Shape, Step

WORDS = (  # noqa: SIM905 - seventy quoted words would hide the list
    "about account after answer article because before board bridge change charge clear contract "
    "customer date detail early entry figure first harbour invoice letter market minute month notice "
    "offer order paper partner people plan point price question reason record region report result "
    "return river season second service short signal simple station summer system table team ticket "
    "today train travel update value village water week winter word work year"
).split()

SCHEMA = {"type": "object", "properties": {"answer": {"type": "string"}}, "required": ["answer"]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """What seconds and tokens are divided by."""

    seconds: float = 1.0
    tokens: float = 1.0

    def usd_per_second(self, real: Decimal) -> str:
        """What a shortened second is worth, where one of full length is worth `real`."""
        return str(real * Decimal(self.seconds) / Decimal(self.tokens))


CORRECTED = "corrected"
"""How a text begins that a check has changed."""

MOST_ASSUMPTIONS = 6
"""`max_depth`: beyond what any shape can reach, so that no cap hides what the rule does."""


def spec(
    name: str, shape: Shape, case: Case, *, stated: Fraction, scale: Scale, policy: dict[str, Any]
) -> dict[str, Any]:
    """The spec of one run; `stated` is the probability it gives the guesses of each step."""
    return {
        "version": 1,
        "workload": f"bench-{name}",
        "policy": {"max_depth": MOST_ASSUMPTIONS, **policy},
        "input": {**case.input, "seconds": tool_seconds(shape, case, scale)},
        "nodes": {step_name: _node(name, shape, step_name, stated, scale) for step_name in shape},
    }


def rules(name: str, shape: Shape, scale: Scale) -> list[dict[str, Any]]:
    """How the stand-in answers the prompts of this shape, at every pace."""
    return [
        {
            "match": f"^{name}/{step_name} {said} {pace} ",
            "reply": _reply(name, step_name, step, said),
            "ttft_ms": 1000 * step.first_token_seconds * factor / scale.seconds,
            "tokens_per_second": step.tokens_per_second / factor * scale.seconds / scale.tokens,
            "output_tokens": round(step.output_tokens / scale.tokens),
        }
        for step_name, step in shape.items()
        if step.kind != "tool"
        for said in (*step.answers, ASTRAY)
        for pace, factor in PACES.items()
    ]


def filler(shape: Shape, step_name: str, scale: Scale) -> str:
    """The rest of a step's prompt: as long as its input tokens say, less the texts that it reads."""
    step = shape[step_name]
    read = sum(shape[up].output_tokens for up in step.reads if shape[up].kind in ("text", "check"))
    return prose(step_name, round((step.input_tokens - read) / scale.tokens))


def tool_seconds(shape: Shape, case: Case, scale: Scale) -> dict[str, float]:
    """How long the look-ups of a run take: the stand-in has no tools."""
    return {
        name: round(step.seconds * PACES[case.pace[name]] / scale.seconds, 3)
        for name, step in shape.items()
        if step.kind == "tool"
    }


def prose(seed: str, tokens: int) -> str:
    """Words of one token each, the same for a seed."""
    rng = random.Random(seed)
    return " ".join(rng.choice(WORDS) for _ in range(max(tokens, 0)))


def _node(
    name: str, shape: Shape, step_name: str, stated: Fraction, scale: Scale
) -> dict[str, Any]:
    step = shape[step_name]
    node = _tool(shape, step_name) if step.kind == "tool" else _model(name, shape, step_name, scale)
    node["estimate"] = {"seconds": round(step.seconds / scale.seconds, 3)}
    if step.kind != "tool":
        node["estimate"] |= {
            "input_tokens": round(step.input_tokens / scale.tokens),
            "output_tokens": round(step.output_tokens / scale.tokens),
        }
    if step.shares:
        node["guess"] = list(_guesses(step, stated))
    return node


def _guesses(step: Step, stated: Fraction) -> Any:
    for answer, share in zip(GUESSED, step.shares, strict=False):
        p = f"{float(stated * share):.4g}"
        if step.kind == "check":
            yield {"from": "node", "node": step.reads[0], "p": p}
        else:
            yield {"from": "value", "value": {"answer": answer}, "p": p}


def _tool(shape: Shape, step_name: str) -> dict[str, Any]:
    inputs = [f"{{{{ {up}.answer }}}}" for up in shape[step_name].reads]
    answer = f"{{{{ {_said(shape, step_name)} }}}}"
    return {
        "tool": "echo",
        "args": {
            "value": {"answer": answer, "of": step_name, "for": inputs},
            "seconds": f"{{{{ input.seconds.{step_name} }}}}",
        },
    }


def _model(name: str, shape: Shape, step_name: str, scale: Scale) -> dict[str, Any]:
    step = shape[step_name]
    said = _said(shape, step_name)
    prompt = (
        f"{name}/{step_name} {{{{ {said} }}}} {{{{ input.pace.{step_name} }}}} {{{{ input.case }}}}\n"
        + "".join(f"{up}: {_read(shape[up], up)}\n" for up in step.reads)
    )
    prompt += filler(shape, step_name, scale)
    node = {
        "model": step.model,
        "prompt": prompt,
        "max_output_tokens": round(2 * step.output_tokens / scale.tokens),
    }
    return node | ({"schema": SCHEMA} if step.kind == "verdict" else {})


def _read(step: Step, name: str) -> str:
    """What is read of a step: of a verdict or a look-up only its answer."""
    whole = step.kind in ("text", "check")
    return f"{{{{ {name} }}}}" if whole else f"{{{{ {name}.answer }}}}"


def _said(shape: Shape, step_name: str) -> str:
    """What the step will say: what its run has planted, unless it was asked about something wrong."""
    planted = f"input.says.{step_name}"
    wrong = [_wrong(shape[up], up) for up in shape[step_name].reads]
    return f"'{ASTRAY}' if {' or '.join(wrong)} else {planted}" if wrong else planted


def _wrong(step: Step, name: str) -> str:
    """Whether what is read of a step is not what it really says in this run, as an expression."""
    match step.kind:
        case "text":
            return f"'{ASTRAY}' in {name}"
        case "check":
            passed = f"input.says.{name} == '{MISS}' and '{CORRECTED}' not in {name}"
            return f"'{ASTRAY}' in {name} or {passed}"
        case _:
            return f"{name}.answer != input.says.{name}"


def _reply(name: str, step_name: str, step: Step, said: str) -> Any:
    if step.kind == "verdict":
        return {"answer": said}
    if step.kind == "check" and said != MISS:
        step_name = step.reads[0]
    opening = {ASTRAY: f"{ASTRAY} ", MISS: f"{CORRECTED} "}.get(said, "")
    return opening + prose(f"{name}/{step_name}", 2 * step.output_tokens)

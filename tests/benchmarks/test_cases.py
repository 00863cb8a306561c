"""Inputs: hit rates come out exactly, and every prompt finds exactly the rule that was meant."""

from __future__ import annotations

import json
import re
from collections import Counter
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.cases import PACES, cases, foreseen
from benchmarks.oracle import best_makespan
from benchmarks.shapes import SHAPES
from benchmarks.specs import Scale, rules, spec
from benchmarks.steps import ASTRAY, MISS
from forerun.workers.standin.rules import parse_rules
from forerun.workflows.spec import parse_graph

SCALE = Scale(seconds=2, tokens=8)
RATES = (Fraction(3, 10), Fraction(1, 2), Fraction(7, 10), Fraction(9, 10))

names = st.sampled_from(sorted(SHAPES))


@given(name=names, tenths=st.integers(0, 10), blocks=st.integers(1, 3))
def test_hits_come_out_exactly(name: str, tenths: int, blocks: int) -> None:
    """Of ten inputs every guessed step is hit in exactly ten times the rate, whatever the shape."""
    some = cases(SHAPES[name], rate=Fraction(tenths, 10), count=10 * blocks, seed="t")
    for step in (step for step, one in SHAPES[name].items() if one.shares):
        assert sum(case.hits(SHAPES[name])[step] for case in some) == tenths * blocks


@given(name=names)
def test_paces_are_balanced_and_the_same_for_a_seed(name: str) -> None:
    """A third of the inputs each, and nothing but the seed decides which."""
    one, other = (cases(SHAPES[name], rate=Fraction(1, 2), count=9, seed="t") for _ in range(2))
    assert one == other
    for step in SHAPES[name]:
        assert Counter(case.pace[step] for case in one) == dict.fromkeys(PACES, 3)


@pytest.mark.parametrize("name", sorted(SHAPES))
@pytest.mark.parametrize("rate", RATES)
def test_specs_are_valid_and_state_the_rate(name: str, rate: Fraction) -> None:
    """The engine takes the spec; the p of a step's guesses sum to the hit rate."""
    case = cases(SHAPES[name], rate=rate, count=1, seed="t")[0]
    made = spec(name, SHAPES[name], case, stated=rate, scale=SCALE, policy={"alpha": "1"})
    parse_graph(json.loads(json.dumps(made)))
    for step, node in made["nodes"].items():
        stated = [Fraction(guess["p"]) for guess in node.get("guess", [])]
        assert sum(stated) == (rate if SHAPES[name][step].shares else 0)


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_every_answer_has_its_rule_at_every_pace(name: str) -> None:
    """One rule for each thing that a model may be made to say, and each says it."""
    parsed = parse_rules(json.dumps(rules(name, SHAPES[name], SCALE)))
    for step, one in SHAPES[name].items():
        if one.kind == "tool":
            continue
        for said in (*one.answers, ASTRAY):
            for pace in PACES:
                prompt = f"{name}/{step} {said} {pace} case\nand the rest"
                (rule,) = [rule for rule in parsed if re.search(rule.match, prompt)]
                assert _says(rule.reply, said, one.kind)


def _says(reply: Any, said: str, kind: str) -> bool:
    if kind == "verdict":
        return reply == {"answer": said}
    opening = {ASTRAY: "astray ", MISS: "corrected "}.get(said, "")
    return reply.startswith(opening)


@given(name=names, tenths=st.integers(0, 10))
def test_the_oracle_lies_between_the_longest_step_and_the_plain_run(name: str, tenths: int) -> None:
    """It saves something only where a guess is right, and no step takes less than it takes."""
    shape = SHAPES[name]
    seconds = {step: one.seconds for step, one in shape.items()}
    for case in cases(shape, rate=Fraction(tenths, 10), count=10, seed="t"):
        steps = foreseen(shape, case, seconds)
        oracle, plain = best_makespan(steps), best_makespan(steps, ())
        assert max(seconds.values()) <= oracle <= plain
        if not any(case.hits(shape).values()):
            assert oracle == plain

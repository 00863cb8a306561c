"""The examples: specs that a run accepts, rules under which their guesses come true, a workflow."""

from __future__ import annotations

import ast
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from forerun.activities.effects.outbox import Outbox
from forerun.activities.registry import Registry
from forerun.speculation.rule import worth
from forerun.workers.standin.asks import Ask
from forerun.workers.standin.rules import Script, parse_rules
from forerun.workers.standin.tokenizer import count_tokens
from forerun.workflows.graph import Graph
from forerun.workflows.spec import Spec, check_operations, parse_spec, unsupported_features

EXAMPLES = Path(__file__).parents[2] / "examples"
NAMES = ("auto_reply", "review_panel")


def example(name: str, **input: Any) -> Spec:
    raw = json.loads((EXAMPLES / f"{name}.json").read_text())
    return parse_spec({**raw, "input": {**raw["input"], **input}})


def played(name: str, spec: Spec) -> dict[str, Any]:
    """The outputs of the nodes, as the stand-in would answer under the example's rules."""
    script = Script()
    script.replace(parse_rules((EXAMPLES / f"{name}.rules.json").read_text()))
    outputs: dict[str, Any] = {}
    for node in Graph.of(spec).nodes.values():
        call = node.render(outputs)
        if node.spec.kind != "model":
            outputs[node.name] = {"text": "articles about " + call.arguments.get("topic", "")}
            continue
        prompt, limit = call.arguments["prompt"], call.arguments["max_output_tokens"]
        rule = script.take(
            Ask(
                model=call.arguments["model"],
                user=prompt,
                input_tokens=count_tokens(prompt),
                max_output_tokens=limit,
                stream=True,
            )
        )
        assert rule is not None, node.name
        assert count_tokens(rule.reply) <= limit, node.name
        outputs[node.name] = rule.reply
    return outputs


@pytest.mark.parametrize("name", NAMES)
def test_it_is_a_spec_that_this_version_runs(name: str) -> None:
    """With the operations that come with forerun."""
    outbox = Outbox("sqlite:///never-opened.db")
    cards = Registry.of("forerun.activities.builtin_tools", outbox).cards

    spec = example(name)

    assert unsupported_features(spec) is None
    check_operations(spec, cards)


def test_under_its_rules_the_guesses_of_auto_reply_come_true() -> None:
    """The e-mail of the demo is about billing, as most are."""
    spec = example("auto_reply")

    outputs = played("auto_reply", spec)

    assert outputs["classify"] == "billing"
    assert "refund" in outputs["draft"]


@pytest.mark.parametrize(
    ("email", "team"),
    [
        ("The export crashes at 40 %, and I have paid my invoice!", "bug"),
        ("Could you make us an offer for ten people?", "sales"),
        ("Please delete everything", "account"),
    ],
)
def test_another_email_makes_the_guess_of_auto_reply_miss(email: str, team: str) -> None:
    """And gets another answer."""
    outputs = played("auto_reply", example("auto_reply", email=email))

    assert outputs["classify"] == team
    assert "charge" not in outputs["draft"]


def test_under_its_rules_the_guess_of_review_panel_comes_true() -> None:
    """The verifier passes the draft on unchanged, to the letter."""
    outputs = played("review_panel", example("review_panel"))

    assert outputs["verify"] == outputs["draft"]


def test_a_claim_that_the_notes_do_not_support_makes_the_verifier_correct_it() -> None:
    """So what ran ahead on the draft is cut."""
    outputs = played("review_panel", example("review_panel", notes=["they guarantee 40,000"]))

    assert "guarantees" in outputs["draft"]
    assert "guarantees" not in outputs["verify"]


def test_the_dollar_rule_launches_both() -> None:
    """Worked out by hand from the estimates in the specs and the prices of the sim models."""
    # 330 tokens in and 345 out at 2/10 $/M; classify ends when 1.95 of the 4.6 s are over.
    auto_reply = Decimal("0.00066") + Decimal("0.00345") * Decimal("0.4239")
    # German: 400 in, 320 out, done before verify is. Summary: 400 in, 85 out.
    review_panel = Decimal("0.0040") + Decimal("0.00165")

    for name, p, seconds, cost in (
        ("auto_reply", "0.62", "2.0", auto_reply),
        ("review_panel", "0.7", "4.3", review_panel),
    ):
        policy = example(name).policy
        bet = worth(
            p=Decimal(p),
            seconds_saved=Decimal(seconds),
            usd_per_second=policy.usd_per_second,
            cost_usd=cost,
            alpha=policy.alpha,
        )

        assert bet.pays
        assert bet.ev_usd > 5 * bet.threshold_usd


def test_support_triage_speculates_in_under_forty_lines() -> None:
    """All of the workflow, its loop and its branch."""
    tree = ast.parse((EXAMPLES / "support_triage.py").read_text())
    (flow,) = [part for part in tree.body if isinstance(part, ast.ClassDef)]
    assert flow.end_lineno
    assert flow.end_lineno - flow.lineno + 1 < 40
    kinds = {type(part) for part in ast.walk(flow)}
    assert {ast.For, ast.If} <= kinds

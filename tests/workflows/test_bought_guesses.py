"""The guess source `model`: a cheaper model's answer is bought when the bets on it pay for it."""

from __future__ import annotations

from typing import Any

from forerun.speculation.quantities import number
from tests.harness import Stack, Story, check_ledger

CHEAP = "openai:sim-small"


def spec(k: int = 1, p: float = 0.8, **policy: Any) -> dict[str, Any]:
    """`draft` reads what a slow `classify` says; a small model may be asked the same."""
    return {
        "version": 1,
        "policy": {"alpha": 1, "budget_usd": "1", **policy},
        "nodes": {
            "classify": {
                "model": "openai:sim-large",
                "prompt": "CLASSIFY this",
                "choices": ["billing", "bug"],
                "guess": [{"from": "model", "model": CHEAP, "k": k, "p": p}],
                "estimate": {"seconds": 3},
            },
            "draft": {
                "model": "anthropic:sim-mid",
                "prompt": "DRAFT {{ classify }}",
                "estimate": {"seconds": 3},
            },
        },
    }


def rules(*cheap: str, ttft_ms: int = 50) -> list[dict[str, Any]]:
    """The slow model says billing after 1.5 s; the small one what it is told to, one by one."""
    answers = [
        {
            "match": "^CLASSIFY",
            "model": "sim-small",
            "reply": answer,
            "ttft_ms": ttft_ms,
            "times": 1,
        }
        for answer in cheap
    ]
    return [
        *answers,
        {"match": "^CLASSIFY", "reply": "billing", "ttft_ms": 1500},
        {"match": "^DRAFT billing", "reply": "Dear", "ttft_ms": 200},
        {"match": "^DRAFT", "reply": "long " * 300, "tokens_per_second": 40},
    ]


async def test_an_answer_is_bought_and_bet_on(stack: Stack, runs: list[Any]) -> None:
    """Asked beside the slow call, recorded before it is asked, paid as a guess; the bet is promoted."""
    stack.standin.set_rules(rules("billing"))

    handle = await stack.start(spec())
    runs.append(handle)
    result = await handle.result()

    story = await Story.of(handle)
    bought, placed = (d for d in story.of_kind("decision") if d["verdict"] != "hold")
    assert (bought["verdict"], placed["verdict"]) == ("buy", "launch")
    assert bought["assumptions"][0]["label"] == f"classify=?{CHEAP}"
    assert placed["assumptions"][0]["source"] == "model"
    (purchase,) = story.of_kind("purchase")
    assert (purchase["end"], purchase["purchase"]) == ("answered", "guess:classify:1")
    assert list(story.outcomes().values()) == ["promoted"]
    ledger = result["ledger"]
    assert number(ledger["guess_usd"]) == number(purchase["best_usd"]) > 0
    assert ledger["speculations"]["launched"] == 1
    assert result["outputs"]["draft"] == "Dear"
    check_ledger(ledger)


async def test_a_wrong_answer_costs_its_own_dollars_and_the_bet(
    stack: Stack, runs: list[Any]
) -> None:
    """It never becomes an output; the speculation on it is cut."""
    stack.standin.set_rules(rules("bug"))

    handle = await stack.start(spec())
    runs.append(handle)
    result = await handle.result()

    story = await Story.of(handle)
    assert result["outputs"] == {"classify": "billing", "draft": "Dear"}
    assert list(story.outcomes().values()) == ["cut"]
    (tested,) = story.of_kind("guess")
    assert (tested["source"], tested["right"]) == ("model", False)
    check_ledger(result["ledger"])


async def test_answers_that_agree_add_up(stack: Stack, runs: list[Any]) -> None:
    """Of three answers two say billing: they are one guess with two thirds of P."""
    stack.standin.set_rules(rules("billing", "bug", "billing"))

    handle = await stack.start(spec(k=3, p=0.9))
    runs.append(handle)
    result = await handle.result()

    story = await Story.of(handle)
    assert len(story.of_kind("purchase")) == 3
    tested = {g["label"]: number(g["p"]) for g in story.of_kind("guess")}
    assert tested == {'classify="billing"': number("0.6"), 'classify="bug"': number("0.3")}
    assert result["outputs"]["draft"] == "Dear"
    check_ledger(result["ledger"])


async def test_an_answer_that_comes_too_late_is_cut(stack: Stack, runs: list[Any]) -> None:
    """Once the node itself has answered, nobody needs to guess it."""
    stack.standin.set_rules(rules("billing", ttft_ms=30_000))

    handle = await stack.start(spec())
    runs.append(handle)
    result = await handle.result()

    story = await Story.of(handle)
    (purchase,) = story.of_kind("purchase")
    assert (purchase["end"], purchase["reason"]) == ("cut", "classify has answered")
    assert result["outputs"]["draft"] == "Dear"
    check_ledger(result["ledger"])


async def test_what_does_not_pay_is_not_asked(stack: Stack, runs: list[Any]) -> None:
    """Time that is worth next to nothing buys no answer: held, once, and nothing is sent."""
    stack.standin.set_rules(rules("billing"))

    handle = await stack.start(spec(usd_per_second="0.0000001"))
    runs.append(handle)
    result = await handle.result()

    story = await Story.of(handle)
    (held,) = story.of_kind("decision")
    assert (held["verdict"], held["reason"]) == ("hold", "EV below threshold")
    assert not story.of_kind("purchase")
    assert number(result["ledger"]["guess_usd"]) == 0
    assert {r["model"] for r in stack.standin.requests()} == {"sim-large", "sim-mid"}

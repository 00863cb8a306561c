"""When things happen: exact figures from rules and profiles, and seeded luck under noise."""

from __future__ import annotations

from collections import Counter
from statistics import median

import pytest

from forerun.workers.standin.asks import Ask
from forerun.workers.standin.noise import Noise
from forerun.workers.standin.plans import Plan, make_plan
from forerun.workers.standin.profiles import PROFILES
from forerun.workers.standin.rules import Rule


def ask(model: str = "sim-mid") -> Ask:
    return Ask(model=model, user="x", input_tokens=1000, max_output_tokens=None, stream=True)


def rule(**fields: object) -> Rule:
    return Rule.model_validate({"match": "", "reply": "one two three", **fields})


def test_rules_are_exact() -> None:
    """Tokens are due at ttft + i / rate, and the end is due after the last one's share."""
    plan = make_plan(ask(), rule(ttft_ms=250, tokens_per_second=8), None)

    assert plan.due == (0.25, 0.375, 0.5, 0.625)


@pytest.mark.parametrize("model", [*PROFILES, "unheard-of"])
def test_profiles_are_exact(model: str) -> None:
    """Without noise a model is exactly as fast as its profile; an unknown one is sim-mid."""
    profile = PROFILES.get(model, PROFILES["sim-mid"])

    plan = make_plan(ask(model), rule(), None)

    assert plan.due[0] == profile.ttft_seconds
    assert plan.due[-1] == pytest.approx(profile.ttft_seconds + 3 / profile.tokens_per_second)
    assert plan.fault is None


@pytest.mark.parametrize("fault", ["429", "500"])
def test_refusals_are_quick(fault: str) -> None:
    """A refused request waits only as long as its rule says."""
    assert make_plan(ask(), rule(fault=fault), None).due[0] == 0
    assert make_plan(ask(), rule(fault=fault, ttft_ms=70), None).due[0] == 0.07


def noisy(seed: int, count: int, spoken: Rule | None = None) -> list[Plan]:
    noise = Noise(seed)
    return [make_plan(ask(), spoken, noise.draw(ask())) for _ in range(count)]


def test_noise_is_the_seed() -> None:
    """The same seed gives the same luck, request by request; another one another."""
    assert noisy(7, 50) == noisy(7, 50)
    assert noisy(7, 50) != noisy(8, 50)


def test_a_longer_answer_keeps_the_luck_of_the_next() -> None:
    """What one request draws does not depend on how much the ones before it drew."""
    short, long = noisy(7, 30, rule()), noisy(7, 30, rule(output_tokens=500))

    assert [plan.due[0] for plan in short] == [plan.due[0] for plan in long]


def test_noise_never_touches_a_rule() -> None:
    """Under noise a rule's figures are still exact, and its fault is the one that happens."""
    exact = rule(ttft_ms=250, tokens_per_second=8, fault="stall")

    plans = noisy(7, 3000, exact)

    assert {(plan.due, plan.fault) for plan in plans} == {((0.25, 0.375, 0.5, 0.625), "stall")}


def test_noise_spreads_around_the_profile() -> None:
    """Starts scatter around the median plus the prompt's prefill, with tails and rare faults."""
    profile, prefill = PROFILES["sim-mid"], 0.1
    plans = noisy(1, 20_000, rule(output_tokens=3))
    starts = [plan.due[0] - prefill for plan in plans if plan.fault is None]
    faults = Counter(plan.fault for plan in plans)

    assert median(starts) == pytest.approx(profile.ttft_seconds, rel=0.05)
    assert max(starts) > 5 * profile.ttft_seconds
    assert min(starts) > 0
    assert all(list(plan.due) == sorted(set(plan.due)) for plan in plans)
    assert 0.003 < faults["429"] / 20_000 < 0.007
    assert faults["429"] > faults["500"] > faults["reset"] > 0

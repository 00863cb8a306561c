"""Histories of what is bet on: guesses of all sources, deep, wide, streamed and bought."""

from __future__ import annotations

from tests.replay.scenario import (
    Scenario,
    approve,
    approve_what_is_shown,
    fates,
    launching_tasks,
    result,
    told,
)
from tests.replay.specs import (
    LONG_DRAFT,
    SEND,
    STEPS,
    SUMMARY,
    chain,
    dag,
    model,
    says,
    value,
)

BETS = [
    Scenario(
        name="node_source",
        spec=dag(
            draft=model("Draft"),
            verify=model(
                "Verify: {{ draft }}", guess=[{"from": "node", "node": "draft", "p": 0.7}]
            ),
            headline=model("Headline: {{ verify }}"),
        ),
        rules=(
            says("Draft", "A fine draft."),
            says("Verify", "A fine draft.", 900),
            says("Headline", "Fine!", 300),
        ),
        shows=lambda s: fates(s) == ["headline promoted"],
    ),
    Scenario(
        name="chain",
        spec=chain(),
        rules=tuple(says(f"Step {step}", f"answer {step}", 700) for step in STEPS),
        shows=lambda s: (
            fates(s) == ["b promoted", "c promoted", "d promoted"]
            and {len(d["assumptions"]) for d in s.of_kind("decision")} == {1, 2, 3}
        ),
    ),
    Scenario(
        name="breadth",
        spec=dag(
            route=model(
                "Classify",
                choices=["billing", "bug"],
                guess=[value("billing", 0.5), value("bug", 0.4)],
            ),
            draft=model("Draft: {{ route }}"),
        ),
        rules=(says("Classify", "bug", 600), LONG_DRAFT),
        shows=lambda s: fates(s) == ["draft cut", "draft promoted"],
    ),
    Scenario(
        name="ruled_out",
        spec=dag(
            route=model("Classify", guess=[value("bug", 0.8)]),
            draft=model("Draft: {{ route }}", guess=[value("fine", 0.8)]),
            publish=model("Publish: {{ draft }}"),
        ),
        rules=(
            says("Classify", "bug", 900),
            says("Draft", "poor", 200),
            says("Publish", "Done.", 1500),
        ),
        # The draft's result, on the guess that proves right, speaks against the guess of the draft.
        shows=lambda s: fates(s) == ["draft promoted", "publish cut", "publish promoted"],
    ),
    Scenario(
        name="approximation",
        spec=dag(
            summary=model("Summarise", equivalence=3, guess=[value(SUMMARY)]),
            draft=model("Draft: {{ summary }}"),
            send=SEND,
        ),
        rules=(
            says("Summarise", SUMMARY.replace("upset", "angry"), 600),
            says("Draft", "Dear customer, all is well.", 300),
            says("", "", model="text-*"),
        ),
        people=approve_what_is_shown,
        shows=lambda s: (
            fates(s) == ["draft promoted"]
            and [(one["node"], one["tier"]) for one in result(s)["approximations"]]
            == [("draft", 3)]
        ),
    ),
    Scenario(
        name="wide",
        spec=dag(**{f"n{i}": {"tool": "echo", "args": {"value": i}} for i in range(70)}),
        shows=lambda s: len(result(s)["outputs"]) == 70 and len(set(launching_tasks(s))) >= 2,
    ),
    Scenario(
        name="fan_out",
        spec=dag(
            plan=model(
                "Plan",
                choices=None,
                schema={"type": "array"},
                guess=[value(["a", "b", "d"], 0.8)],
            ),
            write=model("Draft: {{ item }}", for_each="{{ plan }}"),
            join=model("Step: {{ write }}"),
        ),
        rules=(
            says("Plan", '["a", "b", "c"]', 1500),
            says("Draft", "a text", 30),
            says("Step", "joined", 30),
        ),
        shows=lambda s: (
            fates(s)
            == [
                "join discarded",
                "write[0] promoted",
                "write[1] promoted",
                "write[2] discarded",
            ]
        ),
    ),
    Scenario(
        name="streamed",
        spec=dag(
            plan=model(
                "Plan",
                choices=None,
                schema={"type": "object", "properties": {"a": {}, "b": {}}},
                guess=[{"from": "stream", "field": "a"}],
                max_output_tokens=300,
            ),
            draft=model("Draft: {{ plan.a }}"),
        ),
        rules=(
            {"match": "^Plan", "reply": {"a": 1, "b": "b " * 60}, "tokens_per_second": 60},
            says("Draft", "done", 50),
        ),
        shows=lambda s: fates(s) == ["draft promoted"] and told(s) >= 1,
    ),
    Scenario(
        name="bought",
        spec=dag(
            route=model(
                "Classify",
                choices=["billing", "bug"],
                guess=[{"from": "model", "model": "openai:sim-small", "k": 2, "p": 0.9}],
            ),
            draft=model("Draft: {{ route }}"),
        ),
        rules=(
            {**says("Classify", "billing", 30), "model": "sim-small"},
            says("Classify", "billing", 900),
            says("Draft", "Dear", 50),
        ),
        shows=lambda s: len(s.of_kind("purchase")) == 2 and fates(s) == ["draft promoted"],
    ),
    Scenario(
        name="bought_in_vain",
        spec=dag(
            route=model(
                "Classify",
                guess=[{"from": "model", "model": "openai:sim-small", "k": 2, "p": 0.9}],
            ),
            draft=model("Draft: {{ route }}"),
            send={**SEND, "args": {"to": "a@example.com", "body": "{{ route }}"}},
        ),
        rules=(
            {**says("Classify", "billing", 3000), "model": "sim-small"},
            says("Classify", "billing", 300),
            says("Draft", "Dear", 50),
        ),
        people=approve,
        # The commit leaves in the task that cuts the answers: they are no part of its ancestry.
        shows=lambda s: (
            [p["end"] for p in s.of_kind("purchase")] == ["cut", "cut"]
            and result(s)["effects"]["send"]["state"] == "committed"
        ),
    ),
]

"""The DAGs that are measured: four to nine steps, as agents really run them.

Texts are never guessed, and no step that only the end of the run reads. What is guessed is what
often comes out the same: the branch of a router, the verdict of a judge, the next query of a loop,
a check that lets its text pass, a screening that finds nothing.
"""

from __future__ import annotations

from benchmarks.steps import ONE_GUESS, THREE_GUESSES, Shape, check, text, tool, verdict

SMALL, MID, LARGE = "openai:sim-small", "openai:sim-mid", "openai:sim-large"
WRITER = "anthropic:sim-mid"
REASONED = 200
"""Tokens of a verdict that gives its reasons first; six and a half seconds of a large model."""

SHAPES: dict[str, Shape] = {
    # A mail is routed, looked up, answered, judged and sent on: one step after the other.
    "router": {
        "intent": verdict(LARGE, output=REASONED),
        "account": tool(1.0, "intent"),
        "policy": tool(0.8, "intent"),
        "draft": text(WRITER, "intent", "account", "policy"),
        "judge": verdict(LARGE, "draft", output=REASONED),
        "reply": text(SMALL, "draft", "judge", output=200),
    },
    # Five short decisions in a row, each of which reads the two before it, and a letter.
    "constants": {
        "known": verdict(MID, output=120),
        "region": verdict(MID, "known", output=120),
        "tariff": verdict(MID, "known", "region", output=120),
        "rebate": verdict(MID, "region", "tariff", output=120),
        "letter": text(WRITER, "tariff", "rebate"),
    },
    # A plan, four specialists at once, and one who puts it together.
    "fan_out": {
        "plan": verdict(LARGE, output=REASONED),
        "legal": text(WRITER, "plan"),
        "tax": text(MID, "plan", output=250),
        "market": text(WRITER, "plan", output=350),
        "risk": text(MID, "plan"),
        "merge": text(WRITER, "legal", "tax", "market", "risk", input=2200),
        "title": text(SMALL, "merge", output=40),
    },
    # A draft before three judges at once, whose verdicts an editor merges.
    "panel": {
        "draft": text(WRITER, output=350),
        "facts": verdict(LARGE, "draft", output=REASONED),
        "style": verdict(LARGE, "draft", output=80),
        "legal": verdict(LARGE, "draft", output=80),
        "edit": text(WRITER, "draft", "facts", "style", "legal", output=350),
        "teaser": text(SMALL, "edit", output=120),
    },
    # After Sherlock: every text is checked by a larger model, and mostly passes as it is.
    "verifier": {
        "draft": text(WRITER),
        "check_draft": check(LARGE, "draft"),
        "german": text(WRITER, "check_draft"),
        "check_german": check(LARGE, "german"),
        "summary": text(MID, "check_german", output=150),
        "judge": verdict(MID, "summary", shares=()),
    },
    # After PASTE: a loop of query and search, unrolled; most next queries are predictable.
    "research": {
        "query_1": verdict(MID, output=80),
        "search_1": tool(2.0, "query_1"),
        "query_2": verdict(MID, "search_1", output=80),
        "search_2": tool(2.5, "query_2"),
        "query_3": verdict(MID, "search_1", "search_2", output=80),
        "search_3": tool(2.0, "query_3"),
        "query_4": verdict(MID, "search_2", "search_3", output=80),
        "search_4": tool(1.5, "query_4"),
        "answer": text(WRITER, "search_1", "search_2", "search_3", "search_4", output=400),
    },
    # After Speculative Actions: a customer served by calls; which comes next is mostly clear.
    "service": {
        "find": verdict(MID),
        "customer": tool(0.8, "find"),
        "open": verdict(MID, "customer"),
        "order": tool(1.2, "open"),
        "allowed": verdict(LARGE, "order", output=80),
        "stock": tool(1.5, "allowed", shares=ONE_GUESS),
        "offer": verdict(MID, "allowed", "stock"),
        "quote": tool(1.0, "offer"),
        "reply": text(WRITER, "order", "quote", output=250),
    },
    # A router with three guesses that exclude each other: breadth.
    "wide_router": {
        "route": verdict(LARGE, output=REASONED, shares=THREE_GUESSES),
        "lookup": tool(1.0, "route"),
        "draft": text(WRITER, "route", "lookup"),
        "polish": text(SMALL, "route", "draft"),
    },
    # A customer is taken on: reading, screening, rating, a contract and its judge.
    "onboarding": {
        "extract": verdict(MID, output=150),
        "company": tool(1.5, "extract"),
        "sanctions": tool(2.5, "extract", shares=ONE_GUESS),
        "rating": verdict(LARGE, "company", "sanctions", output=REASONED),
        "terms": tool(0.5, "rating"),
        "contract": text(WRITER, "extract", "terms", output=400),
        "judge": verdict(LARGE, "contract", output=80),
        "welcome": text(SMALL, "rating", output=250),
        "bundle": text(SMALL, "contract", "judge", "welcome", output=150),
    },
}

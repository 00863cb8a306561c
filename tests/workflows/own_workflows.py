"""Workflows of a user's own, for tests: plain Python on `Speculation`."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
from __future__ import annotations

from typing import Any

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from forerun import Speculation

BILLING = {"from": "value", "value": "billing", "p": 0.9}


@workflow.defn
class Triage:
    """A branch on what is awaited, a loop that ends when a verdict says so, and an effect."""

    def __init__(self) -> None:
        self.ahead = Speculation(workload="own", budget_usd="1")

    @workflow.run
    async def run(self, ticket: str) -> dict[str, Any]:
        async with self.ahead as ahead:
            kind = ahead.model(
                "classify", "openai:sim-mid", f"CLASSIFY {ticket}",
                choices=["billing", "bug"], guess=[BILLING],
            )  # fmt: skip
            draft = ahead.model("draft", "openai:sim-mid", lambda kind: f"DRAFT {kind}", kind)
            for turn in range(3):
                verdict = ahead.model(
                    f"review_{turn}", "openai:sim-mid", lambda draft: f"REVIEW {draft}", draft,
                    choices=["good", "bad"],
                )  # fmt: skip
                if await verdict == "good":
                    break
                draft = ahead.model(
                    f"revise_{turn}", "openai:sim-mid", lambda draft: f"REVISE {draft}", draft
                )
            if await kind == "bug":
                ahead.tool("known", "kb.search", {"topic": "bug"})
            sent = ahead.effect(
                "send", "outbox.put", lambda draft: {"to": "a@b.example", "body": draft}, draft
            )
            state = (await sent)["state"]
        return {"state": state, **ahead.result()}


@workflow.defn
class Failing:
    """One step fails; whether anybody looks at it is up to the input."""

    @workflow.run
    async def run(self, how: str) -> str:
        async with Speculation() as ahead:
            broken = ahead.model("broken", "openai:sim-mid", "FAIL", retries=0)
            skipped = ahead.model("skipped", "openai:sim-mid", "x", when=lambda: False)
            dependent = ahead.model("dependent", "openai:sim-mid", lambda x: f"y {x}", skipped)
            if how == "unseen":
                return str(await dependent)
            try:
                await broken
            except ApplicationError as error:
                return f"{error.type}: {await skipped} {await dependent}"
        return "unreachable"


@workflow.defn
class Wrong:
    """Says something that cannot be."""

    @workflow.run
    async def run(self, how: str) -> str:
        if how == "dial":
            Speculation(alpha=2)
        ahead = Speculation()
        if how == "outside":
            await ahead.model("a", "openai:sim-mid", "x")
        async with ahead:
            match how:
                case "twice":
                    ahead.model("a", "openai:sim-mid", "x")
                    ahead.model("a", "openai:sim-mid", "x")
                case "operation":
                    await ahead.tool("a", "kb.serch", {"topic": "x"})
                case "late":
                    ahead.model("slow", "openai:sim-mid", "SLOW")
                    await ahead.tool("quick", "echo", {"value": 1})
                    await ahead.tool("a", "kb.serch", {"topic": "x"})
                case "kind":
                    ahead.effect("a", "kb.search", {"topic": "x"})
                case "raises":
                    await ahead.tool("a", "kb.search", lambda: {"topic": [][0]})
                case "no dict":
                    await ahead.tool("a", "kb.search", lambda: "topic")  # pyright: ignore[reportArgumentType]
                case "option":
                    ahead.model("a", "openai:sim-mid", "x", choises=["a"])  # pyright: ignore[reportCallIssue]
                case _:
                    ahead.model("a", "gpt", "x")
        return "unreachable"


@workflow.defn
class WrongLate:
    """Stages a draft on a guess, then names what there is not, while a model still answers."""

    @workflow.run
    async def run(self, ticket: str) -> str:
        async with Speculation(usd_per_second="1") as ahead:
            kind = ahead.model(
                "classify", "openai:sim-mid", f"CLASSIFY {ticket}", guess=[BILLING]
            )  # fmt: skip
            ahead.model("draft", "openai:sim-mid", lambda kind: f"DRAFT {kind}", kind)
            ahead.effect("note", "drafts.put", lambda kind: {"title": kind, "body": ""}, kind)
            await ahead.tool("pause", "echo", {"value": 1, "seconds": 1})
            await ahead.tool("known", "kb.serch", {"topic": "x"})
        return "unreachable"


@workflow.defn
class Relayed:
    """Hands an output on as a value of its own: no edge says where the effect got it from."""

    @workflow.run
    async def run(self, guess: str) -> dict[str, Any]:
        async with Speculation(workload="own", budget_usd="1") as ahead:
            summary = ahead.model(
                "summarise", "openai:sim-mid", "Summarise", equivalence=2,
                guess=[{"from": "value", "value": guess, "p": 0.9}], estimate={"seconds": 2},
            )  # fmt: skip
            reply = ahead.model("reply", "openai:sim-mid", lambda text: f"Reply: {text}", summary)
            body = {"to": "a@example.com", "body": (await reply).strip()}
            noted = ahead.tool("note", "echo", {"value": "sent"})
            await ahead.effect("send", "outbox.put", {**body, "subject": await noted})
        return ahead.result()


OWN = [Triage, Failing, Wrong, WrongLate, Relayed]

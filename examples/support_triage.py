"""Support triage: a plain Temporal workflow with a loop and a branch, which runs ahead of itself.

In one terminal `forerun up`, in another `python support_triage.py "I was charged twice"`.
"""

import asyncio
import json
import sys
import uuid

from temporalio import workflow
from temporalio.client import Client
from temporalio.envconfig import ClientConfig
from temporalio.worker import Worker

from forerun import Speculation, SpeculationPlugin


@workflow.defn
class SupportTriage:
    @workflow.run
    async def run(self, ticket: str) -> dict[str, object]:
        async with Speculation(workload="support-triage", budget_usd="0.10") as ahead:
            kind = ahead.model(
                "classify", "openai:sim-mid", f"What is this ticket about?\n{ticket}",
                choices=["billing", "bug", "sales"],
                guess=[{"from": "value", "value": "billing", "p": 0.7}],
            )  # fmt: skip
            facts = ahead.tool("lookup", "kb.search", lambda kind: {"topic": kind}, kind)
            reply = ahead.model(
                "draft", "anthropic:sim-mid",
                lambda kind, facts: f"Answer this {kind} ticket.\n{ticket}\n{facts['text']}",
                kind, facts, max_output_tokens=300,
            )  # fmt: skip
            for attempt in (1, 2, 3):
                verdict = ahead.model(
                    f"review_{attempt}", "openai:sim-small",
                    lambda reply: f"May this reply be sent?\n{reply}", reply,
                    choices=["send", "revise"],
                    guess=[{"from": "value", "value": "send", "p": 0.8}],
                )  # fmt: skip
                reply = ahead.model(
                    f"finish_{attempt}", "anthropic:sim-mid",
                    lambda reply, verdict: f"Make it ready to {verdict}: {reply}", reply, verdict,
                )  # fmt: skip
                if await verdict == "send":
                    break
            if await kind == "bug":
                ahead.tool("known", "kb.search", {"topic": "known bugs"})
        return {"kind": await kind, "reply": await reply, "ledger": ahead.result()["ledger"]}


async def main(ticket: str) -> None:
    where = {"target_host": "localhost:7233", **ClientConfig.load_client_connect_config()}
    client = await Client.connect(**where, plugins=[SpeculationPlugin()])
    async with Worker(client, task_queue="support", workflows=[SupportTriage]):
        result = await client.execute_workflow(
            SupportTriage.run, ticket, id=f"triage-{uuid.uuid4()}", task_queue="support"
        )
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    asyncio.run(main(" ".join(sys.argv[1:]) or "I was charged twice for the same month."))

"""Carries out a plan on an exchange: token by token at its due time, faults where they belong.

A fault in mid-stream comes when the token after the first half would be due. An answer that does
not stream has no middle, so there `truncate` sends half of the body and `sse_error` is a plain 500.
"""

from __future__ import annotations

import json

from forerun.workers.standin.exchange import Exchange
from forerun.workers.standin.plans import Plan
from forerun.workers.standin.turns import Turn

RETRY_AFTER_SECONDS = 1


class Delivery:
    """The delivery of one answer.

    Both ways of delivering raise ClientGone when the client leaves before the end.
    """

    def __init__(self, exchange: Exchange, turn: Turn, plan: Plan, request_id: str) -> None:
        self._exchange = exchange
        self._turn = turn
        self._plan = plan
        self._request_id = request_id

    async def stream(self) -> None:
        """Answer as server-sent events."""
        if self._plan.fault in ("429", "500"):
            return await self._refuse(int(self._plan.fault), at=self._plan.due[0])
        exchange, due = self._exchange, self._plan.due
        # Headers come with the first token, as at the vendors: a client that leaves before it has
        # seen no byte of an answer.
        await exchange.pause_until(due[0])
        await exchange.begin(200, self._headers("text/event-stream; charset=utf-8"))
        await exchange.write(self._turn.opening())
        tokens = self._plan.reply.tokens
        if self._plan.fault is not None:
            tokens = tokens[: self._plan.breaks_at]
        for token, moment in zip(tokens, due, strict=False):
            await exchange.pause_until(moment)
            await exchange.write(self._turn.token(token), tokens=1)
        await exchange.pause_until(due[len(tokens)])
        await self._end_stream()
        return None

    async def whole(self) -> None:
        """Answer with one JSON body, once all of it would have been generated."""
        exchange, plan = self._exchange, self._plan
        middle = plan.due[plan.breaks_at]
        match plan.fault:
            case "429" | "500":
                await self._refuse(int(plan.fault), at=plan.due[0])
            case "sse_error":
                await self._refuse(500, at=middle)
            case "reset" | "stall":
                await exchange.pause_until(middle)
                await (exchange.reset() if plan.fault == "reset" else exchange.stall())
            case "truncate":
                body = json.dumps(self._turn.whole()).encode()
                await exchange.pause_until(middle)
                await exchange.begin(200, self._headers("application/json"))
                await exchange.finish(body[: len(body) // 2], outcome="faulted")
            case None:
                await exchange.pause_until(plan.due[-1])
                await exchange.begin(200, self._headers("application/json"))
                body = json.dumps(self._turn.whole()).encode()
                await exchange.finish(body, tokens=len(plan.reply.tokens), outcome="completed")

    async def _end_stream(self) -> None:
        match self._plan.fault:
            case "reset":
                await self._exchange.reset()
            case "stall":
                await self._exchange.stall()
            case "sse_error":
                await self._exchange.finish(self._turn.failing(), outcome="faulted")
            case "truncate":
                await self._exchange.finish(outcome="faulted")
            case _:
                await self._exchange.finish(self._turn.closing(), outcome="completed")

    async def _refuse(self, status: int, *, at: float) -> None:
        message = "Rate limit reached, slow down" if status == 429 else "The server had an error"
        headers = self._headers("application/json")
        if status == 429:
            headers["retry-after"] = str(RETRY_AFTER_SECONDS)
        body = self._turn.refusal(status, message, self._request_id)
        await self._exchange.pause_until(at)
        await self._exchange.begin(status, headers)
        await self._exchange.finish(json.dumps(body).encode(), outcome="faulted")

    def _headers(self, content_type: str) -> dict[str, str]:
        return {"content-type": content_type, self._turn.request_id_header: self._request_id}

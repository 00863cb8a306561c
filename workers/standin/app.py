"""The routes: the vendors' APIs, and `/_sim/` to script them and to read what happened."""

from __future__ import annotations

import uuid

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from forerun.workers.standin.asks import BadAsk
from forerun.workers.standin.chat import ChatTurn
from forerun.workers.standin.delivery import Delivery
from forerun.workers.standin.embeddings import EmbeddingsTurn
from forerun.workers.standin.exchange import Exchange
from forerun.workers.standin.journal import Journal
from forerun.workers.standin.messages import MessagesTurn
from forerun.workers.standin.noise import Noise
from forerun.workers.standin.plans import make_plan
from forerun.workers.standin.responses import ResponsesTurn
from forerun.workers.standin.rules import BadRules, Script, parse_rules
from forerun.workers.standin.turns import Turn

_VENDORS: tuple[type[Turn], ...] = (ChatTurn, ResponsesTurn, MessagesTurn, EmbeddingsTurn)


def build_app(script: Script, journal: Journal, noise: Noise | None) -> Starlette:
    """The stand-in as an ASGI application; `exchange` says what it needs from its server."""
    control = _Control(script, journal)
    return Starlette(
        routes=[
            *(
                Route(turn.path, _Vendor(turn, script, journal, noise), methods=["POST"])
                for turn in _VENDORS
            ),
            Route("/_sim/rules", control.show_rules, methods=["GET"]),
            Route("/_sim/rules", control.replace_rules, methods=["POST"]),
            Route("/_sim/requests", control.show_requests, methods=["GET"]),
            Route("/_sim/requests", control.clear_requests, methods=["DELETE"]),
            Route("/_sim/health", control.health, methods=["GET"]),
        ]
    )


class _Vendor:
    """One vendor's API as a bare ASGI application, since it must see the disconnect itself."""

    def __init__(
        self, turn: type[Turn], script: Script, journal: Journal, noise: Noise | None
    ) -> None:
        self._turn = turn
        self._script = script
        self._journal = journal
        self._noise = noise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = f"req_{uuid.uuid4().hex}"
        try:
            ask = self._turn.read(await Request(scope, receive).body())
        except ClientDisconnect:
            return
        except BadAsk as error:
            await self._complain(str(error), request_id)(scope, receive, send)
            return
        entry = self._journal.open(model=ask.model, user=ask.user)
        disturbance = self._noise.draw(ask) if self._noise else None
        async with Exchange(scope, receive, send, entry) as exchange:
            plan = make_plan(ask, self._script.take(ask), disturbance)
            turn = self._turn(ask, plan.reply, request_id)
            delivery = Delivery(exchange, turn, plan, request_id)
            await (delivery.stream() if ask.stream else delivery.whole())

    def _complain(self, message: str, request_id: str) -> Response:
        body = self._turn.refusal(400, message, request_id)
        return JSONResponse(body, 400, {self._turn.request_id_header: request_id})


class _Control:
    def __init__(self, script: Script, journal: Journal) -> None:
        self._script = script
        self._journal = journal

    async def show_rules(self, request: Request) -> Response:
        del request
        return JSONResponse(self._script.as_json())

    async def replace_rules(self, request: Request) -> Response:
        try:
            rules = parse_rules(await request.body())
        except BadRules as error:
            return JSONResponse({"error": str(error)}, 400)
        self._script.replace(rules)
        return JSONResponse(self._script.as_json())

    async def show_requests(self, request: Request) -> Response:
        del request
        return JSONResponse(self._journal.as_json())

    async def clear_requests(self, request: Request) -> Response:
        del request
        self._journal.clear()
        return Response(status_code=204)

    async def health(self, request: Request) -> Response:
        del request
        return JSONResponse({"status": "ok"})

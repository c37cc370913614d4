"""The HTTP server: both APIs, the list of LLMs, and the faults' control."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from types import ModuleType
from typing import Any

from aiohttp import web

from agentops.rehearsal import chat_api, players, responses_api, tokens
from agentops.rehearsal.conversation import BadRequest, Conversation, Turn
from agentops.rehearsal.failing import break_off, error_response
from agentops.rehearsal.faults import Fault, FaultError, FaultList
from agentops.rehearsal.record import Record
from agentops.rehearsal.rules import check
from agentops.rehearsal.spoil import cut, encode, spoil_body, spoil_turn

MAX_REQUEST_BYTES = 32 * 1024 * 1024
_APIS: dict[str, ModuleType] = {"chat": chat_api, "responses": responses_api}


class Rehearsal:
    """What one server knows: its faults and its settings. Of conversations it remembers nothing."""

    def __init__(
        self,
        *,
        record: Record,
        latency_s: float = 0.0,
        key: str | None = None,
        replies: Sequence[Any] | None = None,
        faults: Sequence[Any] = (),
    ) -> None:
        self._record = record
        self._latency_s = latency_s
        self._key = key
        self._replies = replies
        self._faults = FaultList()
        self._faults.add(list(faults))

    def app(self) -> web.Application:
        """Return the application with its routes."""
        app = web.Application(client_max_size=MAX_REQUEST_BYTES)
        app.add_routes(
            [
                web.post("/v1/chat/completions", self.chat),
                web.post("/v1/responses", self.responses),
                web.get("/v1/models", self.models),
                web.get("/health", self.health),
                web.get("/faults", self.list_faults),
                web.post("/faults", self.add_faults),
                web.delete("/faults", self.clear_faults),
            ]
        )
        return app

    async def chat(self, request: web.Request) -> web.StreamResponse:
        return await self._answer(request, "chat")

    async def responses(self, request: web.Request) -> web.StreamResponse:
        return await self._answer(request, "responses")

    async def models(self, request: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [{"id": "rehearsal"}]})

    async def health(self, request: web.Request) -> web.Response:
        return web.json_response({"status": "ok", "rehearsal": True})

    async def list_faults(self, request: web.Request) -> web.Response:
        return web.json_response(self._faults.as_json())

    async def add_faults(self, request: web.Request) -> web.Response:
        try:
            made = self._faults.add(json.loads(await request.read()))
        except (FaultError, ValueError) as error:
            return web.json_response({"error": str(error)}, status=400)
        return web.json_response({"added": [fault.id for fault in made]})

    async def clear_faults(self, request: web.Request) -> web.Response:
        self._faults.clear()
        return web.json_response({})

    async def _answer(self, request: web.Request, api: str) -> web.StreamResponse:
        raw = await request.read()
        body = _parsed(raw)
        fault = self._faults.take(raw, api)
        self._record.write(
            api=api, body=raw, is_json=body is not None, fault=fault.fault if fault else None
        )
        await self._wait(fault)
        if self._key and request.headers.get("Authorization") != f"Bearer {self._key}":
            return error_response(401, "Incorrect API key provided.", code="invalid_api_key")
        if fault and not fault.is_content:
            return await break_off(request, fault)
        try:
            return web.Response(
                body=self._spoken(body, api, fault, size=len(raw)),
                content_type="application/json",
            )
        except BadRequest as error:
            return error_response(400, str(error), code=error.code)

    async def _wait(self, fault: Fault | None) -> None:
        # A silence and a drip keep their own time.
        own = fault.delay_s if fault and fault.fault not in ("timeout", "drip") else None
        delay_s = self._latency_s if own is None else own
        if delay_s > 0:
            await asyncio.sleep(delay_s)

    def _spoken(self, body: Any, api: str, fault: Fault | None, *, size: int) -> bytes:
        """Return the bytes of the answer; raises BadRequest."""
        if not isinstance(body, dict):
            raise BadRequest("We could not parse the JSON body of your request.")
        talk: Conversation = _APIS[api].hear(body, size=size)
        check(talk)
        turn = players.play(talk, replies=self._replies)
        if fault:
            turn = spoil_turn(fault, turn, talk)
        turn = _within(turn, talk)
        said = _APIS[api].say(turn, talk, tokens.count(turn, talk))
        return encode(fault, spoil_body(fault, said) if fault else said)


def _within(turn: Turn, talk: Conversation) -> Turn:
    """Return the turn, broken off where the request allows fewer tokens than it takes."""
    most = talk.max_output_tokens
    if most is None or turn.finish or tokens.count(turn, talk).written <= most:
        return turn
    return cut(turn)


def _parsed(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None

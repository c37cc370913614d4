"""Asking the rehearsal server through a real adapter."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from executions.core.transcript import AssistantMessage, Reply, ToolAnswer, UserMessage
from executions.llm.factory import make_llm
from executions.llm.port import LLM, LLMError, Request
from tests.llm.bodies import FIND, LOOKUP
from tests.rehearsal_server import RehearsalServer

APIS = ["responses", "chat"]
# Generous: only a test that is about to fail waits this long.
PATIENT_S = 20.0


def conversing(**rehearsed: Any) -> Request:
    """A request that no other resembles; with `rehearse`, replies laid down in its input."""
    opening = json.dumps({"marker": f"m-{uuid4().hex}", **rehearsed})
    items = (UserMessage(text=opening),)
    return Request(llm="gpt-5-mini", instructions="Be brief.", items=items, tools=(FIND, LOOKUP))


def marker(request: Request) -> str:
    first = request.items[0]
    assert isinstance(first, UserMessage)
    found: str = json.loads(first.text)["marker"]
    return found


def fault(server: RehearsalServer, request: Request, name: str, **fields: Any) -> None:
    server.add_faults([{"fault": name, "match": {"contains": marker(request)}, **fields}])


def with_llm(server: RehearsalServer, api: str, use: Callable[[LLM], Awaitable[Any]]) -> Any:
    return at(server.base_url, api, use)


def at(base_url: str, api: str, use: Callable[[LLM], Awaitable[Any]], key: str = "any") -> Any:
    async def run() -> Any:
        llm = make_llm(api=api, base_url=base_url, api_key=key, capacity=400)
        try:
            return await use(llm)
        finally:
            await llm.close()

    return asyncio.run(run())


def asked(server: RehearsalServer, api: str, request: Request, timeout_s: float = PATIENT_S) -> Any:
    return with_llm(server, api, lambda llm: llm.ask(request, timeout_s=timeout_s))


def refused(
    server: RehearsalServer, api: str, request: Request, timeout_s: float = PATIENT_S
) -> LLMError:
    with pytest.raises(LLMError) as caught:
        asked(server, api, request, timeout_s)
    return caught.value


def answered(request: Request, reply: Reply) -> Request:
    """The next request: the reply, and an answer to each of its calls."""
    said = AssistantMessage(text=reply.text, calls=reply.calls, reasoning=reply.reasoning)
    answers = (ToolAnswer(call_id=call.id, text='{"customers":[]}') for call in reply.calls)
    return replace(request, items=(*request.items, said, *answers))

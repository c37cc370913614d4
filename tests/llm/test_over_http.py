"""Both adapters over real HTTP: what is sent, what comes back, what is let go."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import time
from dataclasses import replace
from typing import Any

import pytest

from executions.core.transcript import AssistantMessage, Finish, Reply
from executions.llm import body as bodies
from executions.llm import chat, responses
from executions.llm.port import LLM, LLMError, Request
from executions.llm.retry import OutOfTries, ask
from tests.llm.asking import (
    APIS,
    PATIENT_S,
    answered,
    asked,
    at,
    conversing,
    fault,
    marker,
    refused,
    with_llm,
)
from tests.rehearsal_server import RehearsalServer, start
from tests.support.waiting import wait_until


@pytest.mark.parametrize("api", APIS)
def test_a_question_is_answered_and_counted(server: RehearsalServer, api: str) -> None:
    request = conversing()
    reply: Reply = asked(server, api, request)
    assert reply.finish is Finish.STOP
    assert reply.text is not None
    assert marker(request) in reply.text
    assert reply.llm == "gpt-5-mini"
    assert reply.usage.input_tokens > 0
    assert not reply.usage.estimated


@pytest.mark.parametrize(("api", "dialect"), [("responses", responses), ("chat", chat)])
def test_the_digest_is_of_exactly_what_the_server_got(
    server: RehearsalServer, api: str, dialect: Any
) -> None:
    request = conversing(odd="\x00 é \ud800")
    reply = asked(server, api, request)
    [entry] = server.log(marker(request))
    assert entry["api"] == api
    assert bodies.digest(entry["body"]) == reply.request_digest
    assert entry["body"] == json.loads(bodies.encode(dialect.wire(request)))


@pytest.mark.parametrize("api", APIS)
def test_a_conversation_goes_on_with_its_calls_and_reasoning(
    server: RehearsalServer, api: str
) -> None:
    call = {"name": "find_customers", "arguments": {"query": "Ana"}}
    request = conversing(rehearse=[{"calls": [call, call]}, {"text": "Found."}])
    first: Reply = asked(server, api, request)
    assert first.finish is Finish.TOOL_CALLS
    assert [made.arguments for made in first.calls] == ['{"query": "Ana"}'] * 2
    assert len({made.id for made in first.calls}) == 2
    assert len(first.reasoning) == (1 if api == "responses" else 0)
    second = asked(server, api, answered(request, first))
    assert second.text == "Found."
    assert second.usage.input_tokens > first.usage.input_tokens


@pytest.mark.parametrize("api", APIS)
def test_the_server_refuses_a_call_left_unanswered(server: RehearsalServer, api: str) -> None:
    request = conversing(rehearse=[{"calls": [{"name": "find_customers"}]}])
    reply: Reply = asked(server, api, request)
    said = AssistantMessage(text=None, calls=reply.calls, reasoning=reply.reasoning)
    error = refused(server, api, replace(request, items=(*request.items, said)))
    assert error.code == "LLM_BAD_REQUEST"
    assert "No tool output found" in str(error)


def test_the_server_refuses_reasoning_that_was_changed(server: RehearsalServer) -> None:
    request = conversing(rehearse=[{"calls": [{"name": "find_customers"}]}])
    reply: Reply = asked(server, "responses", request)
    changed = replace(reply, reasoning=({**reply.reasoning[0], "summary": [], "note": "x"},))
    error = refused(server, "responses", answered(request, changed))
    assert "could not be verified" in str(error)


@pytest.mark.parametrize("api", APIS)
def test_a_wrong_key_is_told_without_showing_it(api: str) -> None:
    with start(key="the-right-one") as locked, pytest.raises(LLMError) as caught:
        at(
            locked.base_url,
            api,
            lambda llm: llm.ask(conversing(), timeout_s=PATIENT_S),
            key="sk-wrong-12345678",
        )
    assert caught.value.code == "LLM_AUTH"
    assert "OPENAI_API_KEY" in str(caught.value)
    assert "12345678" not in str(caught.value)


@pytest.mark.parametrize("api", APIS)
def test_an_endpoint_that_is_down_is_named(api: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(LLMError) as caught:
            at(
                f"http://127.0.0.1:{port}/v1",
                api,
                lambda llm: llm.ask(conversing(), timeout_s=PATIENT_S),
            )
    assert (caught.value.code, caught.value.retryable) == ("LLM_UNAVAILABLE", True)
    assert f"127.0.0.1:{port}" in str(caught.value)


@pytest.mark.parametrize("api", APIS)
def test_asking_again_gets_over_a_bad_patch(server: RehearsalServer, api: str) -> None:
    request = conversing()
    for name in ("503", "html", "reset"):
        fault(server, request, name)

    async def at_once(seconds: float) -> None: ...

    async def patiently(llm: LLM) -> Any:
        return await ask(
            llm, request, try_timeout_s=lambda: PATIENT_S, patience_s=5, max_tries=5, sleep=at_once
        )

    answer = with_llm(server, api, patiently)
    assert server.fired() == [1, 1, 1]
    codes = [each.code for each in answer.tries]
    assert codes == ["LLM_UNAVAILABLE", "BAD_REPLY", "LLM_UNAVAILABLE", "OK"]
    assert len(server.log(marker(request))) == 4


@pytest.mark.parametrize("api", APIS)
def test_nothing_is_retried_behind_our_back(server: RehearsalServer, api: str) -> None:
    request = conversing()
    fault(server, request, "500", times=5)

    async def once(llm: LLM) -> Any:
        return await ask(llm, request, try_timeout_s=lambda: PATIENT_S, patience_s=5, max_tries=1)

    with pytest.raises(OutOfTries):
        with_llm(server, api, once)
    assert len(server.log(marker(request))) == 1


@pytest.mark.parametrize("api", APIS)
def test_a_cancelled_request_lets_go_of_its_connection(server: RehearsalServer, api: str) -> None:
    slow, quick = conversing(), conversing()
    fault(server, slow, "timeout", delay_s=60)

    async def cancelled(llm: LLM) -> Reply:
        waiting = asyncio.ensure_future(llm.ask(slow, timeout_s=60))
        await asyncio.to_thread(wait_until, lambda: server.log(marker(slow)))
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        return await llm.ask(quick, timeout_s=PATIENT_S)

    assert with_llm(server, api, cancelled).text


@pytest.mark.parametrize("api", APIS)
def test_three_hundred_ask_at_once_and_each_gets_its_own_answer(
    api: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async def all_at_once(llm: LLM) -> list[tuple[Request, Reply]]:
        requests = [conversing() for _ in range(300)]
        replies = await asyncio.gather(
            *(llm.ask(request, timeout_s=PATIENT_S) for request in requests)
        )
        return list(zip(requests, replies, strict=True))

    with start(latency=0.5) as slow:
        began = time.monotonic()
        pairs = at(slow.base_url, api, all_at_once)
        took_s = time.monotonic() - began
        assert len(slow.log()) == 300
    with capsys.disabled():
        sys.stdout.write(f"\n{api}: 300 requests of 0.5 s at once took {took_s:.2f} s\n")
    assert all(marker(request) in (reply.text or "") for request, reply in pairs)

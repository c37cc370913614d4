"""One step: ask the LLM, judge what it says, commit the decision with everything it asks for."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from executions.core import answers, storable
from executions.core.limits import output_room, try_timeout_s
from executions.core.states import CallStatus
from executions.core.transcript import AssistantMessage, Reply, RequestedCall, StepRecord
from executions.engine import answering, gates
from executions.engine.driven import Driven
from executions.engine.entries import StepMade
from executions.engine.journal import JournalRefused
from executions.engine.proposing import Proposed, propose
from executions.engine.services import Blocked, Services, Stopped
from executions.llm import pricing, retry
from executions.llm.port import LLMError, Request
from executions.llm.retry import Answer, Try

log = logging.getLogger(__name__)

GATE_WAIT_S = 1.0  # this runner knows of the gate by then
PATIENCE_S = 3.0  # longer waits free the runner
MAX_TRIES = 12  # about five minutes of a server that is away
RAW_CHARS = 64_000
# The site's fault, not the execution's: no other request of this agent would fare better.
FOR_ALL = frozenset({"LLM_AUTH", "LLM_QUOTA", "LLM_NOT_CONFIGURED"})


async def think(services: Services, one: Driven) -> None:
    """Make one LLM request and commit its step; returns without one when it was interrupted."""
    answer = await _ask(services, one)
    if answer is None:
        return
    reply = _storable(answer.reply)
    problem = answers.problem(reply, lambda text: answering.unfit(one, text))
    proposed = await propose(one, reply, services.threads)
    try:
        await _commit(services, one, reply, answer.tries, problem, proposed)
    except JournalRefused:
        await gates.look(services.conn)
        if any(_needs_people_by_now(made) for made in proposed):
            raise Blocked("a tool came to need people meanwhile", wait_s=GATE_WAIT_S) from None
        raise


def _needs_people_by_now(made: Proposed) -> bool:
    """Whether the database refuses this read, because the tool is a gated change since."""
    call = made.call
    return call.status is CallStatus.RUNNING and gates.is_always_gated(call.tool_name)


def request_of(one: Driven) -> Request:
    """Return the next LLM request, as it follows from the rows."""
    assert one.definition is not None
    return Request(
        llm=one.definition.llm,
        instructions=one.definition.instructions,
        items=one.items(),
        tools=one.definition.tools,
        max_output_tokens=output_room(one.limits, one.spent),
        output_schema=one.definition.output_schema,
    )


async def _ask(services: Services, one: Driven) -> Answer | None:
    """Ask until answered; None when a cancel or a kill interrupted it."""
    request = request_of(one)
    try:
        # no time of its own: an interruption ends it
        async with asyncio.timeout(None) as one.asking:
            return await _answered(services, one, request)
    except TimeoutError:
        if not one.interrupted:
            raise
        return None
    finally:
        one.asking, one.interrupted = None, False


async def _answered(services: Services, one: Driven, request: Request) -> Answer:
    """Return the answer, or say how an execution without one goes on."""
    try:
        answer = await retry.ask(
            services.llm,
            request,
            try_timeout_s=lambda: try_timeout_s(one.limits, one.spent_now()),
            patience_s=PATIENCE_S,
            max_tries=MAX_TRIES,
            earlier=[Try.from_json(t) for t in one.state.get("tries", [])],
            sleep=partial(_rest, one),
        )
        one.state = {}
        return answer
    except retry.BackOff as wait:
        _check_time(one, wait.tries)
        raise Blocked(str(wait), wait_s=wait.wait_s, state=_kept(wait.tries)) from None
    except retry.OutOfTries as end:
        _check_time(one, end.tries)
        timed_out = end.last_error.code == "LLM_TIMEOUT"
        code = "STEP_TIMEOUT" if timed_out else end.last_error.code
        raise Stopped(code, str(end), state=_kept(end.tries)) from None
    except LLMError as error:
        if error.code in FOR_ALL:
            raise await _paused(services, one, error) from None
        raise Stopped(error.code, str(error), state=_kept(error.tries)) from None


def _kept(tries: Sequence[Try]) -> dict[str, object]:
    """Return the tries as the row keeps them until a step, or for good when none comes."""
    return {"tries": [made.as_json() for made in tries]}


async def _paused(services: Services, one: Driven, error: LLMError) -> Blocked:
    """Pause the agent, whose other executions would meet the same; this one waits with them."""
    *tries, last = error.tries
    switch = await services.switches.pause(
        services.conn,
        one.agent_type,
        reason=storable.text(f"{error.code}: {error}", limit=1000),
        began_s_ago=last.latency_ms / 1000,
    )
    return Blocked(str(switch or error), wait_s=None, state=_kept(tries) if tries else None)


async def _rest(one: Driven, seconds: float) -> None:
    """Wait between tries; a back-off is not active time. No time left: no further try."""
    _check_time(one)
    with one.stopwatch.paused():
        await asyncio.sleep(seconds)


def _check_time(one: Driven, tries: Sequence[Try] = ()) -> None:
    """Raise Stopped when the failed try has used up the execution's time."""
    spent = one.spent_now()
    if spent.active_ms >= one.limits.total_timeout_ms:
        message = f"it was active for {spent.active_ms} of {one.limits.total_timeout_ms} ms"
        raise Stopped("TOTAL_TIMEOUT", message, state=_kept(tries) if tries else None)


def _storable(reply: Reply) -> Reply:
    """Return the reply with nothing in it that could not be stored and sent back."""
    calls = [
        RequestedCall(
            id=storable.text(call.id, limit=200),
            name=storable.text(call.name, limit=200),
            arguments=storable.text(call.arguments, limit=RAW_CHARS),
        )
        for call in reply.calls
    ]
    return replace(
        reply,
        text=None if reply.text is None else storable.text(reply.text),
        refusal=None if reply.refusal is None else storable.text(reply.refusal, limit=4000),
        calls=tuple(calls),
        reasoning=tuple(storable.value(item, limit=1_000_000) for item in reply.reasoning),
        llm=storable.text(reply.llm, limit=200),
    )


async def _commit(
    services: Services,
    one: Driven,
    reply: Reply,
    tries: Sequence[Try],
    problem: str | None,
    proposed: Sequence[Proposed],
) -> None:
    """Write the step, its calls and their reviews in one entry, then hold them in memory."""
    usage = retry.spent(tries)
    assert one.definition is not None
    cost = pricing.cost(usage, llm=reply.llm or one.definition.llm)
    message = AssistantMessage(
        text=reply.text,
        calls=tuple(
            RequestedCall(id=made.call.wire_id, name=asked.name, arguments=asked.arguments)
            for made, asked in zip(proposed, reply.calls, strict=True)
        ),
        reasoning=reply.reasoning,
    )
    number = one.spent.steps + 1
    step = {
        "execution_id": one.id,
        "step_number": number,
        "llm": reply.llm or one.definition.llm,
        "request_digest": reply.request_digest,
        "response": _response(message, reply.refusal),
        "finish_reason": reply.finish.value,
        "problem": problem,
        "input_tokens": usage.input_tokens,
        "cached_tokens": usage.cached_tokens,
        "output_tokens": usage.output_tokens,
        "reasoning_tokens": usage.reasoning_tokens,
        "total_tokens": usage.total_tokens,
        "usage_estimated": usage.estimated,
        "cost_usd": cost,
        "latency_ms": sum(made.latency_ms for made in tries),
        "tries": [made.as_json() for made in tries],
    }
    committed = await services.journal.write(
        StepMade(
            execution_id=one.id,
            token=one.token,
            active_ms=one.lap(),
            step=step,
            calls=[_row(one, made) for made in proposed],
            reviews=[made.review for made in proposed if made.review],
        )
    )
    one.cancel_requested |= committed.cancel_requested
    one.book_step(tokens=usage.total_tokens, cost=cost)
    one.steps.append(
        StepRecord(number=number, message=message, finish=reply.finish, problem=problem)
    )
    one.calls.extend(made.call for made in proposed)


def _response(message: AssistantMessage, refusal: str | None) -> dict[str, Any]:
    return {
        "text": message.text,
        "calls": [
            {"id": call.id, "name": call.name, "arguments": call.arguments}
            for call in message.calls
        ],
        "reasoning": list(message.reasoning),
        "refusal": refusal,
    }


def _row(one: Driven, made: Proposed) -> dict[str, Any]:
    call = made.call
    return {
        "id": call.id,
        "execution_id": one.id,
        "step_number": call.step_number,
        "call_index": call.call_index,
        "tool_name": call.tool_name,
        "tool_input": call.arguments,
        "status": call.status.value,
        "error": call.error,
        "provider_call_id": call.wire_id,
        "effect": call.effect,
        "gated": call.gated,
        "review_id": call.review_id,
        "target_version": call.target_version,
    }

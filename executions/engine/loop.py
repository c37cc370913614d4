"""The agent loop: ask `decide` what next, do that one thing, write it down, ask again."""

from __future__ import annotations

import logging

from django.db import InterfaceError, OperationalError

from executions.agents import InputRefused, UnknownAgent
from executions.core import decide, storable
from executions.core.states import CallStatus as C
from executions.core.states import ExecutionStatus as E
from executions.engine import acting, answering, thinking
from executions.engine.driven import Driven
from executions.engine.entries import Ended, LeaseLost, LetGo, Yielded
from executions.engine.journal import JournalRefused
from executions.engine.loading import reload_calls, snapshot_definition
from executions.engine.services import Blocked, Services, Stopped
from tools.base import UnknownTool

log = logging.getLogger(__name__)

WAITING_CHARS = 500  # of why it was put back, as pages tell it
DISAGREE_WAIT_S = 15.0  # rows that contradict each other are looked at again, not spun on
NEEDS_PEOPLE = "not run: it needs approval now; ask for it again"
DATABASE_AWAY = (OperationalError, InterfaceError)  # met in a thread, before an effect
AWAY_WAIT_S = 2.0
# Claims that ended in the death of the runner, without progress in between: in the crowd, in a
# group, and three alone: there too a runner may be killed by what has nothing to do with it.
MAX_ATTEMPTS = 5

DIED = "Its runner died while it ran; nobody knows whether it happened."
LAPSED = (
    "It started so long ago that the other side may have forgotten its idempotency key: running it"
    " again by itself could make it happen twice."
)
SENTENCES = {
    "CANCELLED": "a person cancelled it",
    "MAX_STEPS_EXCEEDED": "it reached its limit of {limits.max_steps} steps",
    "MAX_TOKENS_EXCEEDED": "it used {spent.tokens} of {limits.max_tokens} tokens",
    "TOTAL_TIMEOUT": "it was active for {spent.active_ms} of {limits.total_timeout_ms} ms",
    "MAX_COST_EXCEEDED": "it cost {spent.cost_usd} of {limits.max_cost_usd} USD",
    "COST_UNKNOWN": "its cost has a limit, but this LLM's price is not known",
    "LOOP_DETECTED": "it asked for the same call {limits.max_identical_calls} times",
    "INVALID_ANSWER": "it gave no usable answer, also when asked again",
    "ANSWER_TRUNCATED": "its answers were cut off, also when asked for shorter ones",
    "LLM_REFUSED": "the LLM refused the request",
    "CONTENT_FILTERED": "the LLM's provider filtered the answer",
}


async def drive(services: Services, one: Driven) -> None:
    """Drive one execution until it ends, waits for people, is put back or is lost to another."""
    try:
        await _prepare(services, one)
        while await _advance(services, one):
            if services.is_draining() or (services.is_solo and one.has_progressed):
                return await _put_back(services, one)
    except LeaseLost:
        log.info("execution %s is another runner's now", one.id)
    except Blocked as block:
        told = {**block.state, "waiting": storable.text(str(block), limit=WAITING_CHARS)}
        await _put_back(services, one, wait_s=block.wait_s, state=told)
    except DATABASE_AWAY as away:
        log.warning("execution %s: the database went away (%s); it is put back", one.id, away)
        await _put_back(services, one, wait_s=AWAY_WAIT_S)
    except Stopped as stop:
        await _end(services, one, E.FAILED, code=stop.code, message=str(stop), state=stop.state)
    except (UnknownAgent, UnknownTool) as gone:
        await _end(services, one, E.FAILED, code="DEFINITION_REMOVED", message=str(gone))
    except InputRefused as refused:
        await _end(services, one, E.FAILED, code="INPUT_REFUSED", message=str(refused))
    except JournalRefused as refused:
        log.exception("execution %s: the database refused a write", one.id)
        await _end(services, one, E.FAILED, code="WRITE_REFUSED", message=str(refused))
    except Exception as broken:
        log.exception("execution %s broke the loop", one.id)
        message = f"{type(broken).__name__}: {broken}"[:2000]
        await _end(services, one, E.FAILED, code="INTERNAL_ERROR", message=message)


async def _prepare(services: Services, one: Driven) -> None:
    if one.fault:
        raise Stopped("UNREADABLE", one.fault)
    if one.attempts > MAX_ATTEMPTS:
        before = f"it was taken up {one.attempts - 1} times in a row at step {one.spent.steps}"
        message = f"{before}, and its runner died each time or could not go on with it"
        raise Stopped("POISONED", message)
    if one.definition is None:
        await snapshot_definition(services.conn, one)


async def _advance(services: Services, one: Driven) -> bool:
    """Do the one thing that is next. False when this runner's part is over."""
    step = decide.next_step(one.snapshot())
    if isinstance(step, decide.AskLLM | decide.RunCalls):
        _heed_switch(services, one)
    match step:
        case decide.AskLLM():
            await thinking.think(services, one)
        case decide.RunCalls(ids):
            await acting.run_calls(services, one, ids)
        case decide.Refuse(ids):
            for id in ids:
                await acting.refuse(services, one, one.call(id), NEEDS_PEOPLE)
        case decide.Doubt(ids):
            for id in ids:
                call = one.call(id)
                await acting.doubt(services, one, call, LAPSED if call.key_lapsed else DIED)
        case decide.AwaitReview():
            return not await _let_go(services, one)
        case decide.Finish():
            await _finish(services, one)
            return False
        case decide.Stop(reason):
            status = E.CANCELLED if reason == "CANCELLED" else E.FAILED
            await _end(services, one, status, code=reason, message=_sentence(one, reason))
            return False
    return True


def _heed_switch(services: Services, one: Driven) -> None:
    """Raise Blocked while this agent is switched off. What only writes down may go on."""
    if switch := services.switches.over(one.agent_type):
        raise Blocked(str(switch), wait_s=None)


async def _let_go(services: Services, one: Driven) -> bool:
    """Leave the execution to people; False when they were faster and it goes on."""
    committed = await services.journal.write(
        LetGo(execution_id=one.id, token=one.token, active_ms=one.lap())
    )
    if committed.cancel_requested:
        one.request_cancel()
    if not committed.applied:
        await reload_calls(services.conn, one)
        still_waiting = decide.next_step(one.snapshot()) == decide.AwaitReview()
        if still_waiting and not committed.open_reviews:
            raise Blocked("its calls wait for reviews that are not open", wait_s=DISAGREE_WAIT_S)
    return committed.applied


async def _finish(services: Services, one: Driven) -> None:
    text = one.steps[-1].message.text or ""
    await services.journal.write(
        Ended(
            execution_id=one.id,
            token=one.token,
            active_ms=one.lap(),
            status=E.COMPLETED,
            result=answering.output_of(one, text),
        )
    )


async def _end(
    services: Services,
    one: Driven,
    status: E,
    *,
    code: str,
    message: str,
    state: dict[str, object] | None = None,
) -> None:
    """End without a result; if even that is refused, the runner finds the orphan later."""
    try:
        for call in one.latest_calls():
            if call.status is C.RUNNING and call.effect in (decide.ONCE, decide.IDEMPOTENT):
                await acting.doubt(services, one, call, f"It was running at the end ({code}).")
        await services.journal.write(
            Ended(
                execution_id=one.id,
                token=one.token,
                active_ms=one.lap(),
                status=status,
                error=storable.text(f"{code}: {message}"),
                stop_reason=code,
                state=state,
            )
        )
    except (LeaseLost, JournalRefused) as refused:
        log.warning("execution %s could not be ended as %s: %s", one.id, code, refused)


async def _put_back(
    services: Services,
    one: Driven,
    *,
    wait_s: float | None = None,
    state: dict[str, object] | None = None,
) -> None:
    try:
        await services.journal.write(
            Yielded(
                execution_id=one.id,
                token=one.token,
                active_ms=one.lap(),
                wake_in_s=wait_s,
                state=state,
            )
        )
    except LeaseLost:
        log.info("execution %s is another runner's now", one.id)


def _sentence(one: Driven, reason: str) -> str:
    said = SENTENCES[reason].format(limits=one.limits, spent=one.spent_now())
    last = one.steps[-1] if one.steps else None
    if last and last.problem and reason in ("INVALID_ANSWER", "LLM_REFUSED", "CONTENT_FILTERED"):
        return f"{said}. {last.problem}"[:2000]
    return said

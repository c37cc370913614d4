"""Tool calls: start, effect, outcome, each committed; and doubt when the outcome is hidden."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Hashable, Sequence
from functools import partial

from django.db import InterfaceError, OperationalError
from pydantic import BaseModel

from executions.core import storable
from executions.core.breaker import Verdict
from executions.core.decide import IDEMPOTENT, ONCE
from executions.core.states import CallStatus as C
from executions.engine import gates, prestart, trying
from executions.engine.breakers import ToolShut
from executions.engine.driven import Driven, HeldCall
from executions.engine.effects import Outcome
from executions.engine.entries import (
    CallDoubted,
    CallEnded,
    CallRefused,
    CallStarted,
    Committed,
    ReviewRenewed,
)
from executions.engine.loading import reload_calls
from executions.engine.proposing import PREPARE_S, review_row
from executions.engine.services import Blocked, Services
from tools.base import Effect, Tool, ToolError
from tools.registry import get_tool

SWITCH_WAIT_S = 15.0  # how soon a start that a switch refused is tried again


async def run_calls(services: Services, one: Driven, ids: Sequence[Hashable]) -> None:
    """Run these calls at once; returns when each has its outcome committed."""
    if len(ids) == 1:
        return await act(services, one, one.call(ids[0]))
    acts = [act(services, one, one.call(id)) for id in ids]
    results = await asyncio.gather(*acts, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return None


async def act(services: Services, one: Driven, call: HeldCall) -> None:
    """Take one call from where it is to its outcome.

    1. Read its arguments again, as they will run.
    2. Unless it is a read: look whether it may still start.
    3. Ask the tool's circuit breaker. Unless it is a read: commit the start.
    4. The effect, of which the breaker hears.
    5. Commit the outcome, or put the doubt before people.
    """
    try:
        tool = get_tool(call.tool_name)
        parsed = tool.parse(call.arguments)
        prestart.check_same_kind(one, tool, call, parsed)
    except ToolError as error:
        return await refuse(services, one, call, str(error))
    is_read, is_rerun = tool.effect is Effect.READ, call.status is C.RUNNING
    if not is_read and not await _still_wanted(services, one, call, tool, parsed):
        return None
    heed = partial(
        services.breakers.heed, tool.name, call.id, is_probe=await _admitted(services, call)
    )
    if not is_read and not await _start(services, one, call, tool):
        return await heed(Verdict.NEITHER, error=None)
    outcome = await trying.outcome(services, one, call, tool, parsed, is_rerun=is_rerun)
    await heed(outcome.verdict, error=outcome.error)
    if outcome.is_known:
        return await _record(services, one, call, outcome)
    return await doubt(services, one, call, outcome.error or "its outcome is unknown")


async def doubt(services: Services, one: Driven, call: HeldCall, why: str) -> None:
    """Put a started call whose outcome nobody knows before people."""
    votes = gates.votes_of(one, call.tool_name)
    review = review_row(call, kind="doubt", votes=votes, reason=why, version=call.target_version)
    committed = await services.journal.write(
        CallDoubted(
            execution_id=one.id, token=one.token, active_ms=one.lap(),
            call_id=call.id, error=why, review=review,
        )
    )  # fmt: skip
    _heed(one, committed)
    call.status, call.error = C.IN_DOUBT, why


async def _admitted(services: Services, call: HeldCall) -> bool:
    """Test if the call is its tool's probe; Blocked while the tool's breaker is open."""
    try:
        return await services.breakers.admit(call.tool_name, call.id)
    except ToolShut as shut:
        raise Blocked(str(shut), wait_s=shut.wait_s) from None


async def _start(services: Services, one: Driven, call: HeldCall, tool: Tool) -> bool:
    """Commit the start. False: it may not start now, and the row says why."""
    committed = await services.journal.write(
        CallStarted(
            execution_id=one.id,
            token=one.token,
            call_id=call.id,
            tool_name=call.tool_name,
            idempotency_key=trying.key(one, call),
        )
    )
    _heed(one, committed)
    if committed.applied:
        call.status = C.RUNNING
        if call.started is None:
            call.started = time.monotonic()
        return True
    await reload_calls(services.conn, one)
    if one.cancel_requested:
        return False
    if committed.switched_off:
        raise await _held(services, one, call.tool_name, committed.refusal or "")
    if committed.refusal and "expired" in committed.refusal:
        await _renew(services, one, one.call(call.id), tool, "The approval expired.", None)
    elif committed.refusal and not one.call(call.id).was_forced_behind_the_gate:
        raise Blocked(committed.refusal, wait_s=SWITCH_WAIT_S)
    return False


async def _held(services: Services, one: Driven, tool_name: str, why: str) -> Blocked:
    """Return how long a start that a switch refused waits: for an agent's, until it is lifted.

    What a breaker refused waits at its next try, when this runner knows of it.
    """
    await services.switches.read(services.conn)
    await services.breakers.refresh()
    if services.switches.over(one.agent_type):
        return Blocked(why, wait_s=None)
    is_off = services.switches.over_tool(tool_name) is not None
    return Blocked(why, wait_s=SWITCH_WAIT_S * random.uniform(1, 1.3) if is_off else None)


async def _still_wanted(
    services: Services, one: Driven, call: HeldCall, tool: Tool, parsed: BaseModel
) -> bool:
    """Look at approvers' rights and the target. False: the call was refused or is asked again."""
    if call.status is C.APPROVED and (left := call.undo_left_s()):
        raise Blocked("its approval may still be taken back", wait_s=left)
    looks_needed = call.gated or tool.check or tool.target
    if call.status is C.RUNNING or not looks_needed:
        return True
    try:
        objection = await _objection(services, one, call, tool, parsed)
    except ToolError as error:
        await refuse(services, one, call, str(error))
        return False
    if objection is None:
        return True
    if call.gated:
        await _renew(services, one, call, tool, objection, parsed)
    else:
        await refuse(services, one, call, objection)
    return False


async def _objection(
    services: Services, one: Driven, call: HeldCall, tool: Tool, parsed: BaseModel
) -> str | None:
    """Return why the call may not start as approved. ToolError: not at all; Blocked: not yet."""
    try:
        async with services.threads.slot(one.stopwatch) as slot:
            return await slot.run(
                prestart.objection, tool, parsed, call.review_id, call.target_version,
                gates.votes_of(one, call.tool_name), timeout_s=PREPARE_S,
            )  # fmt: skip
    except (ToolError, OperationalError, InterfaceError):
        raise
    except TimeoutError as error:
        why = f"whether {tool.name} may still start could not be looked up: {error!r}"
        raise Blocked(why, wait_s=SWITCH_WAIT_S) from error
    except Exception as error:
        why = f"its check failed ({type(error).__name__}); nothing was run"
        raise ToolError(why) from error


async def _renew(
    services: Services, one: Driven, call: HeldCall, tool: Tool, why: str,
    parsed: BaseModel | None,
) -> None:  # fmt: skip
    """Void the approval and put the same call before people again, with what is true now.

    A call that started once stays under the approval it started with: its doubt is asked again.
    """
    if call.was_started:
        await doubt(services, one, call, why)
        return
    version = call.target_version
    if parsed is not None and tool.target is not None:
        async with services.threads.slot(one.stopwatch) as slot:
            target = await slot.run(tool.target, parsed, timeout_s=PREPARE_S)
            version = target.version if target else None
    if call.review_id is None:
        raise ValueError(f"the gated call {call.id} has no review")
    votes = gates.votes_of(one, call.tool_name)
    review = review_row(call, kind="approval", votes=votes, reason=why, version=version)
    committed = await services.journal.write(
        ReviewRenewed(
            execution_id=one.id, token=one.token, active_ms=one.lap(),
            call_id=call.id, old_review_id=call.review_id, review=review,
        )
    )  # fmt: skip
    _heed(one, committed)
    call.status, call.review_id = C.AWAITING_REVIEW, review["id"]
    call.target_version = version


async def _record(services: Services, one: Driven, call: HeldCall, outcome: Outcome) -> None:
    """Commit the outcome, unless the tool's own transaction did."""
    call.status, call.output, call.error = C(outcome.status), outcome.output, outcome.error
    one.has_progressed = True
    if outcome.is_recorded:
        return
    committed = await services.journal.write(
        CallEnded(
            execution_id=one.id,
            token=one.token,
            active_ms=_worth_booking(one),
            call_id=call.id,
            status=outcome.status,
            output=outcome.output,
            error=outcome.error,
            latency_ms=outcome.latency_ms,
        )
    )
    _heed(one, committed)
    if not committed.applied:  # its own transaction was faster than its time-out
        await reload_calls(services.conn, one)


async def refuse(services: Services, one: Driven, call: HeldCall, why: str) -> None:
    """Fail a call before any effect; one that may have happened goes back to being in doubt."""
    why = storable.text(why, limit=4000)
    may_have_happened = call.status is C.RUNNING and call.effect in (ONCE, IDEMPOTENT)
    if may_have_happened or (call.was_started and call.status is C.APPROVED):
        return await doubt(services, one, call, why)
    if call.status is C.RUNNING:
        return await _record(services, one, call, Outcome(status="failed", error=why))
    committed = await services.journal.write(
        CallRefused(execution_id=one.id, token=one.token, call_id=call.id, error=why)
    )
    _heed(one, committed)
    call.status, call.error = C.FAILED, why
    if not committed.applied:
        await reload_calls(services.conn, one)
    return None


def _worth_booking(one: Driven) -> int:
    """Book active time with an outcome only when a crash would lose much of it."""
    return one.lap() if one.stopwatch.running_ms() > 1000 else 0


def _heed(one: Driven, committed: Committed) -> None:
    if committed.cancel_requested:
        one.request_cancel()

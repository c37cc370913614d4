"""Running a tool's function: the effect itself, and what its failure means for its kind."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Coroutine, Generator, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import InterfaceError, OperationalError, connections
from psycopg.errors import QueryCanceled
from pydantic import BaseModel

from executions import faults
from executions.commits import commit
from executions.core import storable
from executions.core.breaker import LEAST_TRY_S, Verdict
from executions.engine.driven import Driven, HeldCall
from executions.engine.threads import ToolThreads
from tools.base import (
    Effect,
    KeyConflict,
    OutcomeUnknown,
    Tool,
    ToolContext,
    ToolError,
    ToolUnavailable,
)

log = logging.getLogger(__name__)

CLOCK_MS = 5  # a timer may ring that much early


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of one try. `is_known` False: the effect may have happened.

    `is_recorded`: a transactional tool committed its outcome together with its effect. `verdict`
    is what the try says of the tool itself; `may_repeat` False: not even with the same key.
    """

    status: str
    output: Any = None
    error: str | None = None
    is_known: bool = True
    is_recorded: bool = False
    verdict: Verdict = Verdict.WORKS
    may_repeat: bool = True
    latency_ms: int = 0


class FenceLost(Exception):
    """The execution or call is no longer this runner's: what the tool did is rolled back."""


async def run(
    threads: ToolThreads, one: Driven, call: HeldCall, tool: Tool, parsed: BaseModel,
    context: ToolContext,
) -> Outcome:  # fmt: skip
    """Run the tool once, in a thread or in the loop, within its time."""
    began = time.monotonic()
    try:
        output = await _called(threads, one, call, tool, parsed, context)
        return Outcome(
            status="succeeded",
            output=output,
            is_recorded=tool.effect is Effect.TRANSACTIONAL,
            latency_ms=_since(began),
        )
    except FenceLost:
        raise
    except Exception as error:
        return _failed(tool, error, context, latency_ms=_since(began))


def _failed(tool: Tool, error: Exception, context: ToolContext, *, latency_ms: int) -> Outcome:
    """Return what an exception says of the call, and of the tool."""
    is_over = latency_ms + CLOCK_MS >= context.deadline_s * 1000
    said, verdict = _words(error), Verdict.FAILS
    leaves_nothing = tool.effect in (Effect.READ, Effect.TRANSACTIONAL)
    if isinstance(error, ToolError):
        leaves_nothing = True
        verdict = Verdict.FAILS if isinstance(error, ToolUnavailable) else Verdict.NEITHER
    elif isinstance(error, KeyConflict):
        verdict = Verdict.NEITHER
        log.critical("%s, call %s: %s", tool.name, context.call_id, said)
    elif isinstance(error, TimeoutError) and is_over:
        said = f"{tool.name} took longer than its {context.deadline_s:.1f} s"
        verdict = Verdict.FAILS if context.deadline_s >= LEAST_TRY_S else Verdict.NEITHER
    elif not isinstance(error, OutcomeUnknown):
        said = f"{tool.name} failed: {type(error).__name__}{said and ': '}{said}"
        verdict = Verdict.NEITHER if _is_our_database_away(error) else Verdict.FAILS
        log.warning("%s, call %s, failed", tool.name, context.call_id, exc_info=error)
    return Outcome(
        status="failed",
        error=storable.text(said, limit=4000),
        is_known=leaves_nothing,
        verdict=verdict,
        may_repeat=not isinstance(error, KeyConflict),
        latency_ms=latency_ms,
    )


async def _called(
    threads: ToolThreads, one: Driven, call: HeldCall, tool: Tool, parsed: BaseModel,
    context: ToolContext,
) -> Any:  # fmt: skip
    if tool.is_async:
        faults.hit(f"{tool.name}.before")
        returned = await threads.in_loop(tool.call(parsed, context), timeout_s=context.deadline_s)
        faults.hit(f"{tool.name}.after")
        return _stored(tool, returned)
    async with threads.slot(one.stopwatch) as slot:

        def work() -> Any:
            if tool.effect is Effect.TRANSACTIONAL:
                return _in_one_transaction(tool, parsed, context, call.id, one.token)
            faults.hit(f"{tool.name}.before")
            returned = tool.call(parsed, context)
            faults.hit(f"{tool.name}.after")
            return _stored(tool, returned)

        return await slot.run(work, timeout_s=context.deadline_s)


def _in_one_transaction(
    tool: Tool, parsed: BaseModel, context: ToolContext, call_id: Any, token: int
) -> Any:
    """Do the work, take the fence last, write the outcome: all commit together or nothing does."""
    began = time.monotonic()
    with commit(tool.name), connections["default"].cursor() as cursor:
        limit_ms = int(context.deadline_s * 1000) + 1
        for name in ("statement_timeout", "idle_in_transaction_session_timeout"):
            cursor.execute(f"SET LOCAL {name} = {limit_ms}")
        output = _stored(tool, tool.call(parsed, context))
        cursor.execute(
            "SELECT 1 FROM agent_executions WHERE id = %s AND lease_token = %s"
            " AND status = 'running' FOR SHARE",
            [context.execution_id, token],
        )
        if cursor.fetchone() is None:
            raise FenceLost
        cursor.execute(
            "UPDATE agent_tool_calls SET status = 'succeeded', tool_output = %s, latency_ms = %s,"
            " finished_at = clock_timestamp() WHERE id = %s AND status = 'running'",
            [json.dumps(output), _since(began), call_id],
        )
        if not cursor.rowcount:
            raise FenceLost
    return output


def _stored(tool: Tool, returned: Any) -> Any:
    """Return the output as it is stored; what has yet to be run is no output."""
    if isinstance(returned, (Iterator, AsyncIterator, Awaitable)):
        if isinstance(returned, (Generator, Coroutine)):
            returned.close()
        raise TypeError(f"{tool.name} returned a {type(returned).__name__}, which nobody has run")
    return storable.value(returned)


def _words(error: BaseException) -> str:
    try:
        return str(error)
    except BaseException:  # even that is the tool's code
        return "(its message cannot be shown)"


def _is_our_database_away(error: Exception) -> bool:
    """Test if the error is about our own database, and not that a statement took too long."""
    cancelled = isinstance(error.__cause__, QueryCanceled)
    return isinstance(error, (OperationalError, InterfaceError)) and not cancelled


def _since(began: float) -> int:
    return int((time.monotonic() - began) * 1000)

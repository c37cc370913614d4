"""Running a tool's function: the effect itself, and what its failure means for its kind."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass
from typing import Any

from django.db import connections
from pydantic import BaseModel

from executions import faults
from executions.commits import commit
from executions.core import storable
from executions.engine.driven import Driven, HeldCall
from executions.engine.threads import ToolThreads
from tools.base import Effect, OutcomeUnknown, Tool, ToolContext, ToolError


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of one try. `is_known` False: the effect may have happened.

    `is_recorded`: a transactional tool committed its outcome together with its effect.
    """

    status: str
    output: Any = None
    error: str | None = None
    is_known: bool = True
    is_recorded: bool = False
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
    except ToolError as refusal:
        error, known = str(refusal), True
    except TimeoutError:
        error = f"{tool.name} took longer than its {context.deadline_s:.1f} s"
        known = tool.effect in (Effect.READ, Effect.TRANSACTIONAL)
    except OutcomeUnknown as unknown:
        error, known = str(unknown), tool.effect is Effect.READ
    except FenceLost:
        raise
    except Exception as broken:
        error = f"{tool.name} failed: {_described(broken)}"
        known = tool.effect in (Effect.READ, Effect.TRANSACTIONAL)
    return Outcome(
        status="failed",
        error=storable.text(error, limit=4000),
        is_known=known,
        latency_ms=_since(began),
    )


async def _called(
    threads: ToolThreads, one: Driven, call: HeldCall, tool: Tool, parsed: BaseModel,
    context: ToolContext,
) -> Any:  # fmt: skip
    if tool.is_async:
        async with asyncio.timeout(context.deadline_s):
            faults.hit(f"{tool.name}.before")
            returned = await tool.call(parsed, context)
            faults.hit(f"{tool.name}.after")
            return storable.value(returned)
    async with threads.slot(one.stopwatch) as slot:

        def work() -> Any:
            if tool.effect is Effect.TRANSACTIONAL:
                return _in_one_transaction(tool, parsed, context, call.id, one.token)
            faults.hit(f"{tool.name}.before")
            returned = tool.call(parsed, context)
            faults.hit(f"{tool.name}.after")
            return storable.value(returned)

        return await slot.run(work, timeout_s=context.deadline_s)


def _in_one_transaction(
    tool: Tool, parsed: BaseModel, context: ToolContext, call_id: Any, token: int
) -> Any:
    """Do the work, take the fence last, write the outcome: all commit together or nothing does."""
    began = time.monotonic()
    with commit(tool.name), connections["default"].cursor() as cursor:
        cursor.execute(f"SET LOCAL statement_timeout = {int(context.deadline_s * 1000) + 1}")
        output = storable.value(tool.call(parsed, context))
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


def _described(error: BaseException) -> str:
    try:
        said = str(error)
    except Exception:
        said = "(its message cannot be shown)"
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def _since(began: float) -> int:
    return int((time.monotonic() - began) * 1000)

"""Rows into memory: everything a claim needs, in a handful of queries for all claimed at once."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from executions.agents import get_agent
from executions.core import limits as limit_rules
from executions.core.limits import LimitError, Limits, Spent
from executions.core.states import CallStatus
from executions.core.transcript import AssistantMessage, Finish, RequestedCall, StepRecord
from executions.engine.connections import Link
from executions.engine.definitions import Definition, define, from_body
from executions.engine.driven import Driven, HeldCall

EXECUTIONS = """
SELECT id, lease_token, agent_type, user_id, attempts, input_data, state, limits, definition_id,
    step_count, token_count, active_ms, cost_usd, cancel_requested_at IS NOT NULL
FROM agent_executions WHERE id = ANY(%s) AND lease_owner = %s AND status = 'running'
"""
DEFINITIONS = "SELECT sha256, body FROM agent_definitions WHERE sha256 = ANY(%s)"
STEPS = """
SELECT execution_id, step_number, response, finish_reason, problem FROM agent_steps
WHERE execution_id = ANY(%s) ORDER BY execution_id, step_number
"""
CALLS = """
SELECT c.execution_id, c.id, c.provider_call_id, c.step_number, c.call_index, c.tool_name,
    c.status, c.effect, c.gated, c.proposed_input, c.tool_input, c.tool_output, c.error,
    c.review_id, c.target_version, extract(epoch FROM clock_timestamp() - c.started_at)::float8,
    extract(epoch FROM r.effective_at - clock_timestamp())::float
FROM agent_tool_calls c
LEFT JOIN agent_reviews r ON r.id = c.review_id AND r.effective_at > clock_timestamp()
WHERE c.execution_id = ANY(%s) ORDER BY c.execution_id, c.step_number, c.call_index
"""
KEEP_DEFINITION = """
INSERT INTO agent_definitions (sha256, agent_type, body) VALUES (%s, %s, %s)
ON CONFLICT (sha256) DO NOTHING
"""
SNAPSHOT = """
UPDATE agent_executions SET definition_id = %s, limits = CASE WHEN limits = '{}' THEN %s
    ELSE limits END WHERE id = %s AND lease_token = %s
"""

_definitions: dict[str, Definition] = {}  # never change once made


async def load(conn: Link, ids: Sequence[UUID], *, runner_id: UUID) -> list[Driven]:
    """Return the claimed executions with their steps and calls, ready to be driven."""
    cursor = await conn.execute(EXECUTIONS, (list(ids), runner_id))
    rows = await cursor.fetchall()
    unreadable = await _fetch_definitions(conn, {row[8] for row in rows if row[8]})
    driven = {row[0]: _driven(row) for row in rows}
    for row in rows:
        if row[8] in unreadable:
            driven[row[0]].fault = f"its definition cannot be read: {unreadable[row[8]]}"
    started = [id for id, one in driven.items() if one.spent.steps]
    if started:
        cursor = await conn.execute(STEPS, (started,))
        for id, *step in await cursor.fetchall():
            try:
                driven[id].steps.append(_step(*step))
            except (KeyError, TypeError, ValueError) as error:
                driven[id].fault = f"its step {step[0]} cannot be read: {error!r}"
        for id, call in await _calls(conn, started):
            driven[id].calls.append(call)
    return list(driven.values())


async def reload_calls(conn: Link, one: Driven) -> None:
    """Read the calls again: people may have decided while this runner was busy."""
    one.calls = [call for _, call in await _calls(conn, [one.id])]


async def snapshot_definition(conn: Link, one: Driven) -> None:
    """Give an execution launched by plain SQL what `launch` gives: definition and limits.

    Raises UnknownAgent, InputRefused, UnknownTool.
    """
    agent = get_agent(one.agent_type)
    one.input_data = agent.checked(one.input_data)
    definition = define(agent)
    limits = limit_rules.to_json(definition.limits)
    await conn.execute(
        KEEP_DEFINITION,
        (definition.sha256, definition.agent, Jsonb(definition.body)),
        at="keep_definition",
    )
    values = (definition.sha256, Jsonb(limits), one.id, one.token)
    await conn.execute(SNAPSHOT, values, at="snapshot")
    if not one.limits_given:
        one.limits = definition.limits
    one.definition = definition


async def _fetch_definitions(conn: Link, wanted: set[str]) -> dict[str, str]:
    """Make those not known yet; return what is wrong with the unreadable ones, by sha256."""
    missing, unreadable = wanted - _definitions.keys(), dict[str, str]()
    if missing:
        cursor = await conn.execute(DEFINITIONS, (list(missing),))
        for sha256, body in await cursor.fetchall():
            try:
                _definitions[sha256] = from_body(body)
            except (AttributeError, KeyError, TypeError, ValueError) as error:
                unreadable[sha256] = repr(error)
    return unreadable


def _driven(row: Any) -> Driven:
    (id, token, agent_type, user_id, attempts, input_data, state, limits, definition_id,
     steps, tokens, active_ms, cost, cancel_requested) = row  # fmt: skip
    return Driven(
        id=id,
        token=token,
        agent_type=agent_type,
        user_id=user_id,
        attempts=attempts,
        input_data=input_data,
        state=state,
        limits=_limits(limits)[0],
        limits_given=bool(limits),
        fault=_limits(limits)[1],
        spent=Spent(steps=steps, tokens=tokens, active_ms=active_ms, cost_usd=cost),
        definition=_definitions.get(definition_id),
        cancel_requested=cancel_requested,
    )


def _limits(stored: Any) -> tuple[Limits, str | None]:
    """Return stored limits, or the defaults and what is wrong: plain SQL may write anything."""
    try:
        return limit_rules.from_json(stored), None
    except (LimitError, AttributeError, TypeError) as error:
        return Limits(), f"its limits cannot be used: {error}"


def _step(number: int, response: dict[str, Any], finish: str, problem: str | None) -> StepRecord:
    return StepRecord(
        number=number,
        message=AssistantMessage(
            text=response["text"],
            calls=tuple(RequestedCall(**call) for call in response["calls"]),
            reasoning=tuple(response["reasoning"]),
        ),
        finish=Finish(finish),
        problem=problem,
    )


async def _calls(conn: Link, ids: Sequence[UUID]) -> list[tuple[UUID, HeldCall]]:
    cursor = await conn.execute(CALLS, (list(ids),))
    now = time.monotonic()
    return [
        (
            row[0],
            HeldCall(
                id=row[1],
                wire_id=row[2],
                step_number=row[3],
                call_index=row[4],
                tool_name=row[5],
                status=CallStatus(row[6]),
                effect=row[7],
                gated=row[8],
                proposed=row[9],
                arguments=row[10],
                output=row[11],
                error=row[12],
                review_id=row[13],
                target_version=row[14],
                started=None if row[15] is None else now - row[15],
                undo_until=now + row[16] if row[16] else None,
            ),
        )
        for row in await cursor.fetchall()
    ]

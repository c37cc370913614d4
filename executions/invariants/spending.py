"""I8: limits hold, as far as the rows of what was spent can tell."""

from __future__ import annotations

from executions.invariants.rule import Invariant

COMMIT_MS = 10_000  # what a look before a start and a commit may add to the last call's own time


def _limit(name: str) -> str:
    """Return SQL for a limit as a number, NULL where the snapshot has no usable one."""
    value = f"e.limits ->> '{name}'"
    return f"(CASE WHEN {value} ~ '^[0-9]+([.][0-9]+)?$' THEN ({value})::numeric END)"


STEPS = f"""
SELECT 'execution ' || e.id, e.step_count || ' of ' || {_limit("max_steps")} || ' steps'
FROM agent_executions e WHERE e.step_count > {_limit("max_steps")}
"""

# The last step may have gone over; before it there must have been room.
TOKENS_AND_COST = f"""
SELECT 'execution ' || e.id, 'before its last step it had used ' || e.token_count - s.total_tokens
    || ' of ' || {_limit("max_tokens")} || ' tokens and '
    || coalesce((e.cost_usd - s.cost_usd)::text, 'unknown') || ' of '
    || coalesce({_limit("max_cost_usd")}::text, 'any') || ' USD'
FROM agent_executions e
JOIN agent_steps s ON s.execution_id = e.id AND s.step_number = e.step_count
WHERE e.token_count - s.total_tokens >= {_limit("max_tokens")}
   OR e.cost_usd - s.cost_usd >= {_limit("max_cost_usd")}
"""

TIME = f"""
SELECT 'execution ' || e.id, 'it was active for ' || e.active_ms || ' of '
    || {_limit("total_timeout_ms")} || ' ms'
FROM agent_executions e
WHERE e.active_ms > {_limit("total_timeout_ms")} + {_limit("step_timeout_ms")} + {COMMIT_MS}
"""

CALLS = f"""
SELECT 'step ' || c.step_number || ' of execution ' || e.id,
    c.started || ' calls of it started; the limit is ' || {_limit("max_calls_per_step")}
FROM agent_executions e JOIN (
    SELECT execution_id, step_number, count(*) AS started
    FROM agent_tool_calls WHERE started_at IS NOT NULL GROUP BY execution_id, step_number
) c ON c.execution_id = e.id
WHERE c.started > {_limit("max_calls_per_step")}
"""

I8 = Invariant(
    name="I8",
    promise="limits hold",
    counted="executions with limits",
    count="SELECT count(*) FROM agent_executions WHERE limits <> '{}'",
    rules=(STEPS, TOKENS_AND_COST, TIME, CALLS),
)

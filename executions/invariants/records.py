"""I4 and I14: everything is written down before it is done, and counts agree with rows."""

from __future__ import annotations

from executions.invariants.rule import FINAL_CALLS, FINAL_EXECUTIONS, Invariant

COUNTERS = """
SELECT 'execution ' || e.id, 'it counts ' || e.step_count || ' steps, ' || e.token_count
    || ' tokens and ' || coalesce(e.cost_usd::text, 'unknown') || ' USD; its rows have '
    || coalesce(s.steps, 0) || ', ' || coalesce(s.tokens, 0) || ' and '
    || CASE WHEN s.unpriced > 0 THEN 'unknown' ELSE coalesce(s.cost, 0)::text END || ' USD'
FROM agent_executions e LEFT JOIN (
    SELECT execution_id, count(*) AS steps, sum(total_tokens) AS tokens, sum(cost_usd) AS cost,
        count(*) FILTER (WHERE cost_usd IS NULL) AS unpriced
    FROM agent_steps GROUP BY execution_id
) s ON s.execution_id = e.id
WHERE e.step_count <> coalesce(s.steps, 0) OR e.token_count <> coalesce(s.tokens, 0)
   OR (e.cost_usd IS NULL) <> (coalesce(s.unpriced, 0) > 0)
   OR e.cost_usd <> coalesce(s.cost, 0)
"""

REQUESTED = """
SELECT 'step ' || s.step_number || ' of execution ' || s.execution_id,
    'it asks for ' || asked || ' calls, and ' || coalesce(c.calls, 0) || ' have a row'
FROM agent_steps s
CROSS JOIN LATERAL (SELECT CASE jsonb_typeof(s.response -> 'calls')
    WHEN 'array' THEN jsonb_array_length(s.response -> 'calls') ELSE 0 END AS asked) asks
LEFT JOIN (
    SELECT execution_id, step_number, count(*) AS calls
    FROM agent_tool_calls GROUP BY execution_id, step_number
) c ON c.execution_id = s.execution_id AND c.step_number = s.step_number
WHERE asked <> coalesce(c.calls, 0)
"""

UNASKED = """
SELECT 'call ' || c.id, 'no step ' || c.step_number || ' of its execution asks for it'
FROM agent_tool_calls c LEFT JOIN agent_steps s
    ON s.execution_id = c.execution_id AND s.step_number = c.step_number
WHERE s.execution_id IS NULL
"""

TIMES = """
SELECT 'call ' || c.id, 'written ' || c.called_at || ', started ' || c.started_at
    || ', finished ' || coalesce(c.finished_at::text, 'never')
FROM agent_tool_calls c
WHERE c.started_at < c.called_at OR c.finished_at < c.started_at
"""

LEFT_OPEN = f"""
SELECT 'call ' || c.id, 'it is ' || c.status || ' although its execution is ' || e.status
FROM agent_tool_calls c JOIN agent_executions e ON e.id = c.execution_id
WHERE c.status NOT IN {FINAL_CALLS} AND c.status <> 'in_doubt'
  AND e.status IN {FINAL_EXECUTIONS}
"""

OPEN_REVIEWS = """
SELECT 'execution ' || e.id,
    'it counts ' || e.open_reviews || ' open reviews, and has ' || coalesce(r.open, 0)
FROM agent_executions e LEFT JOIN (
    SELECT execution_id, count(*) AS open FROM agent_reviews WHERE status = 'open'
    GROUP BY execution_id
) r ON r.execution_id = e.id
WHERE e.open_reviews <> coalesce(r.open, 0)
"""

WAITING_CALLS = """
SELECT 'call ' || c.id, 'it is ' || c.status || ', but no review of it is open'
FROM agent_tool_calls c LEFT JOIN agent_reviews r ON r.call_id = c.id AND r.status = 'open'
    AND r.kind = CASE c.status WHEN 'in_doubt' THEN 'doubt' ELSE 'approval' END
WHERE c.status IN ('awaiting_review', 'in_doubt')
  AND (r.id IS NULL OR c.status = 'awaiting_review' AND c.review_id IS DISTINCT FROM r.id)
"""

IDLE_REVIEWS = """
SELECT 'review ' || r.id, 'it is open, but its call is ' || c.status
FROM agent_reviews r JOIN agent_tool_calls c ON c.id = r.call_id
WHERE r.status = 'open'
  AND c.status <> CASE r.kind WHEN 'doubt' THEN 'in_doubt' ELSE 'awaiting_review' END
"""

APPROVED_CALLS = """
SELECT 'call ' || c.id, 'it is approved, but its review is ' || coalesce(r.status, 'missing')
FROM agent_tool_calls c LEFT JOIN agent_reviews r ON r.id = c.review_id
WHERE c.status = 'approved' AND r.status IS DISTINCT FROM 'approved'
"""

# The metrics page's figures and the lists that its links open, in its usual window.
PAGES = """
SELECT 'metrics of ' || coalesce(a.agent, 'all agents'),
    'they count ' || concat_ws(', ', m.executions, m.completed, m.failed, m.cancelled)
    || ' ended, completed, failed, cancelled; the lists have '
    || concat_ws(', ', l.executions, l.completed, l.failed, l.cancelled)
FROM (SELECT coalesce(%(since)s, %(now)s - interval '7 days') AS since) w
CROSS JOIN LATERAL (
    SELECT NULL AS agent UNION ALL
    SELECT DISTINCT e.agent_type FROM agent_executions e WHERE e.completed_at >= w.since) a
CROSS JOIN LATERAL (
    SELECT count(*) AS executions, count(*) FILTER (WHERE e.status = 'completed') AS completed,
        count(*) FILTER (WHERE e.status = 'failed') AS failed,
        count(*) FILTER (WHERE e.status = 'cancelled') AS cancelled
    FROM agent_executions e
    WHERE e.completed_at >= w.since AND e.agent_type = coalesce(a.agent, e.agent_type)) l
CROSS JOIN LATERAL agent_health_metrics(a.agent, w.since) m
WHERE (m.executions, m.completed, m.failed, m.cancelled)
   <> (l.executions, l.completed, l.failed, l.cancelled)
"""

I4 = Invariant(
    name="I4",
    promise="written before done",
    counted="tool calls",
    count="SELECT count(*) FROM agent_tool_calls",
    rules=(COUNTERS, REQUESTED, UNASKED, TIMES, LEFT_OPEN),
)

I14 = Invariant(
    name="I14",
    promise="counts agree",
    counted="reviews",
    count="SELECT count(*) FROM agent_reviews",
    rules=(OPEN_REVIEWS, WAITING_CALLS, IDLE_REVIEWS, APPROVED_CALLS, PAGES),
)

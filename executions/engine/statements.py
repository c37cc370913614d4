"""The journal's SQL. Each statement takes one JSON list of rows and changes them all at once.

Raw on purpose: the ORM costs five times the CPU on this one path.
"""

from __future__ import annotations

MARK = """
UPDATE agent_runners SET last_batch = %(batch)s WHERE id = %(runner)s AND dead_at IS NULL
"""

# Always first, always in this order: whoever locks executions in id order cannot deadlock.
LOCK = """
SELECT id, lease_token, status, cancel_requested_at IS NOT NULL, open_reviews, agent_type
FROM agent_executions WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE
"""

# Pulling a switch takes this lock exclusively, so no start slips past it (I9).
CONTROLS_LOCK_KEY = 7_311_001
CONTROLS = f"""
SELECT pg_advisory_xact_lock_shared({CONTROLS_LOCK_KEY})
"""
# What people switched off, and the tools that are shut to all calls but the one that probes.
FORBIDDEN = """
SELECT scope, key, state, reason, NULL::uuid FROM agent_controls WHERE state <> 'on'
UNION ALL
SELECT 'tool', tool_name, 'shut', 'it failed ' || failures || ' times in a row', probe_call
FROM agent_breakers WHERE open_until IS NOT NULL
"""

COUNT = """
UPDATE agent_executions e SET
    step_count = e.step_count + t.steps, token_count = e.token_count + t.tokens,
    cost_usd = e.cost_usd + t.cost, active_ms = e.active_ms + t.active_ms,
    open_reviews = e.open_reviews + t.reviews,
    attempts = CASE WHEN t.progress THEN 0 ELSE e.attempts END,
    state = CASE WHEN t.steps > 0 THEN '{}' ELSE e.state END
FROM jsonb_to_recordset(%s) AS t(
    id uuid, steps int, tokens int, cost numeric, active_ms bigint, reviews int, progress boolean)
WHERE e.id = t.id
"""

INSERT_STEPS = """
INSERT INTO agent_steps (
    execution_id, step_number, llm, request_digest, response, finish_reason, problem,
    input_tokens, cached_tokens, output_tokens, reasoning_tokens, total_tokens,
    usage_estimated, cost_usd, latency_ms, tries)
SELECT * FROM jsonb_to_recordset(%s) AS t(
    execution_id uuid, step_number int, llm text, request_digest text, response jsonb,
    finish_reason text, problem text, input_tokens int, cached_tokens int, output_tokens int,
    reasoning_tokens int, total_tokens int, usage_estimated boolean, cost_usd numeric,
    latency_ms int, tries jsonb)
"""

INSERT_CALLS = """
INSERT INTO agent_tool_calls (
    id, execution_id, step_number, call_index, tool_name, tool_input, proposed_input, status,
    error, provider_call_id, effect, gated, review_id, target_version, started_at, finished_at)
SELECT id, execution_id, step_number, call_index, tool_name, tool_input, tool_input, status,
    error, provider_call_id, effect, gated, review_id, target_version,
    CASE WHEN status = 'running' THEN clock_timestamp() END,
    CASE WHEN status = 'failed' THEN clock_timestamp() END
FROM jsonb_to_recordset(%s) AS t(
    id uuid, execution_id uuid, step_number int, call_index int, tool_name text,
    tool_input jsonb, status text, error text, provider_call_id text, effect text,
    gated boolean, review_id uuid, target_version text)
"""

INSERT_REVIEWS = """
INSERT INTO agent_reviews (
    id, call_id, execution_id, tool_name, input_digest, kind, version, required_votes, reason,
    risk, target_version, expires_at, customer_id)
SELECT t.id, t.call_id, c.execution_id, c.tool_name, c.input_digest, t.kind,
    coalesce((SELECT max(r.version) FROM agent_reviews r WHERE r.call_id = t.call_id), 0) + 1,
    t.required_votes, t.reason, t.risk, t.target_version,
    clock_timestamp() + make_interval(secs => t.expires_after_s),
    coalesce(t.customer_id, (SELECT r.customer_id FROM agent_reviews r WHERE r.call_id = t.call_id
                             ORDER BY r.version DESC LIMIT 1))
FROM jsonb_to_recordset(%s) AS t(
    id uuid, call_id uuid, kind text, required_votes int, reason text, risk text,
    target_version text, expires_after_s float, customer_id text)
JOIN agent_tool_calls c ON c.id = t.call_id
"""

START_CALLS = """
UPDATE agent_tool_calls c SET
    status = 'running', started_at = coalesce(c.started_at, clock_timestamp()),
    idempotency_key = coalesce(c.idempotency_key, t.key)
FROM jsonb_to_recordset(%s) AS t(id uuid, execution_id uuid, key text)
WHERE c.id = t.id AND c.execution_id = t.execution_id
  AND c.status IN ('pending', 'approved', 'running')
  AND NOT EXISTS (
      SELECT FROM agent_reviews r WHERE r.id = c.review_id AND r.effective_at > clock_timestamp())
RETURNING c.id
"""

END_CALLS = """
UPDATE agent_tool_calls c SET
    status = t.status, tool_output = t.output, error = t.error, latency_ms = t.latency_ms,
    finished_at = clock_timestamp()
FROM jsonb_to_recordset(%s) AS t(
    id uuid, execution_id uuid, status text, output jsonb, error text, latency_ms int)
WHERE c.id = t.id AND c.execution_id = t.execution_id AND c.status = 'running'
RETURNING c.id
"""

REFUSE_CALLS = """
UPDATE agent_tool_calls c SET status = 'failed', error = t.error, finished_at = clock_timestamp()
FROM jsonb_to_recordset(%s) AS t(id uuid, execution_id uuid, error text)
WHERE c.id = t.id AND c.execution_id = t.execution_id AND c.status IN ('pending', 'approved')
  AND c.started_at IS NULL
RETURNING c.id
"""

DOUBT_CALLS = """
UPDATE agent_tool_calls c SET status = 'in_doubt', error = t.error
FROM jsonb_to_recordset(%s) AS t(id uuid, execution_id uuid, error text)
WHERE c.id = t.id AND c.execution_id = t.execution_id
  AND (c.status = 'running' OR c.status = 'approved' AND c.started_at IS NOT NULL)
RETURNING c.id
"""

VOID_REVIEWS = """
UPDATE agent_reviews r SET status = 'void'
FROM jsonb_to_recordset(%s) AS t(old_review_id uuid)
WHERE r.id = t.old_review_id AND r.status IN ('open', 'approved')
"""

RENEW_CALLS = """
UPDATE agent_tool_calls c SET
    status = 'awaiting_review', review_id = t.review_id, target_version = t.target_version
FROM jsonb_to_recordset(%s) AS t(
    id uuid, execution_id uuid, review_id uuid, target_version text)
WHERE c.id = t.id AND c.execution_id = t.execution_id AND c.status = 'approved'
RETURNING c.id
"""

# Looks only at columns of the locked row: a blocked UPDATE re-checks with its old snapshot, and
# an EXISTS on another table would lose a decision made meanwhile.
LET_GO = """
UPDATE agent_executions SET status = 'awaiting_review', lease_owner = NULL, attempts = 0
WHERE id = ANY(%s) AND open_reviews > 0 RETURNING id
"""

END = """
UPDATE agent_executions e SET
    status = t.status, result = t.result, stop_reason = t.stop_reason,
    -- who cancelled it, and why, was written with the request
    error = CASE WHEN t.status = 'cancelled' THEN coalesce(e.error, t.error) ELSE t.error END,
    completed_at = clock_timestamp(), lease_owner = NULL, wake_at = NULL,
    state = coalesce(t.state, e.state),
    open_reviews = CASE WHEN e.open_reviews = 0 THEN 0 ELSE (
        SELECT count(*) FROM agent_reviews r
        WHERE r.execution_id = e.id AND r.status = 'open' AND r.kind = 'doubt') END
FROM jsonb_to_recordset(%s) AS t(
    id uuid, status text, result jsonb, error text, stop_reason text, state jsonb)
WHERE e.id = t.id
"""

VOID_UNUSED_REVIEWS = """
UPDATE agent_reviews r SET status = 'void' FROM agent_tool_calls c
WHERE r.execution_id = ANY(%s) AND c.id = r.call_id AND c.started_at IS NULL
  AND r.status IN ('open', 'approved')
"""

# A running read leaves nothing behind; a running transactional call has not committed.
CANCEL_CALLS = """
UPDATE agent_tool_calls SET status = 'cancelled', finished_at = clock_timestamp()
WHERE execution_id = ANY(%s) AND (
    status IN ('pending', 'awaiting_review', 'approved')
    OR status = 'running' AND effect IN ('read', 'transactional'))
"""

YIELD = """
UPDATE agent_executions e SET
    status = 'pending', lease_owner = NULL,
    attempts = CASE WHEN t.counts THEN e.attempts ELSE 0 END,
    wake_at = clock_timestamp() + make_interval(secs => t.wake_in_s),
    state = coalesce(t.state, e.state)
FROM jsonb_to_recordset(%s) AS t(
    id uuid, wake_in_s float, state jsonb, counts boolean)
WHERE e.id = t.id
"""

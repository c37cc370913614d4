"""I2, I3 and I7: one driver, steps that rise by one, ends that stay. Read from the audit trail."""

from __future__ import annotations

from executions.invariants.rule import FINAL_CALLS, Invariant

LEASE_AND_STATUS = """
SELECT 'execution ' || e.id,
    'it is ' || e.status || CASE WHEN e.lease_owner IS NULL THEN ' without' ELSE ' with' END
    || ' a lease'
FROM agent_executions e WHERE (e.lease_owner IS NOT NULL) <> (e.status = 'running')
"""

CLAIMS = """
SELECT 'execution ' || e.id, 'its lease token is ' || e.lease_token || ', its audit trail has '
    || coalesce(a.claims, 0) || ' claims up to token ' || coalesce(a.last, 0)
FROM agent_executions e LEFT JOIN (
    SELECT execution_id, count(*) AS claims, max((detail ->> 'lease_token')::bigint) AS last
    FROM agent_audit WHERE event IN ('running', 'recovered') GROUP BY execution_id
) a ON a.execution_id = e.id
WHERE e.lease_token <> coalesce(a.last, 0) OR e.lease_token <> coalesce(a.claims, 0)
"""

CLAIM_NUMBERS = """
SELECT 'execution ' || m.execution_id, 'audit event ' || m.seq || ': claim ' || m.claim
    || ' has lease token ' || coalesce(m.token, 'none')
FROM (
    SELECT a.execution_id, a.seq, a.detail ->> 'lease_token' AS token,
        row_number() OVER (PARTITION BY execution_id ORDER BY seq) AS claim
    FROM agent_audit a WHERE a.event IN ('running', 'recovered')
) m WHERE m.token IS DISTINCT FROM m.claim::text
"""

# The journal's transaction begins by asking whether its runner is still taken for alive.
PAST_THE_FENCE = """
SELECT 'step ' || s.step_number || ' of execution ' || e.id,
    'it was written at ' || s.created_at || ' by a runner taken for dead at ' || r.dead_at
FROM agent_executions e JOIN agent_runners r ON r.id = e.lease_owner
JOIN agent_steps s ON s.execution_id = e.id AND s.created_at > r.dead_at
"""

STEP_NUMBERS = """
SELECT 'execution ' || s.execution_id,
    count(*) || ' steps are numbered ' || min(s.step_number) || ' to ' || max(s.step_number)
FROM agent_steps s GROUP BY s.execution_id
HAVING min(s.step_number) <> 1 OR max(s.step_number) <> count(*)
"""

STEPS_FELL = """
SELECT 'execution ' || m.execution_id,
    'audit event ' || m.seq || ': ' || m.steps || ' steps after ' || m.before
FROM (
    SELECT a.execution_id, a.seq, (a.detail ->> 'steps')::int AS steps,
        lag((a.detail ->> 'steps')::int) OVER (PARTITION BY execution_id ORDER BY seq) AS before
    FROM agent_audit a WHERE a.detail ? 'steps'
) m WHERE m.steps < m.before
"""

MOVES = """
SELECT 'execution ' || m.execution_id,
    'audit event ' || m.seq || ': ' || m.event || ' after ' || coalesce(m.before, 'nothing')
FROM (
    SELECT a.execution_id, a.seq, a.event, a.detail ->> 'from' AS origin,
        lag(CASE a.event WHEN 'launched' THEN a.detail ->> 'status' ELSE a.event END)
            OVER (PARTITION BY execution_id ORDER BY seq) AS before
    FROM agent_audit a WHERE a.event IN (
        'launched', 'pending', 'running', 'completed', 'failed', 'cancelled', 'awaiting_review')
) m
WHERE m.event <> 'launched' AND (
    m.before IS DISTINCT FROM m.origin
    OR NOT agentops_may_move('execution', m.before, m.event))
"""

LAST_STATUS = """
SELECT 'execution ' || e.id, 'it is ' || e.status || ', its audit trail ends with ' || a.status
FROM agent_executions e JOIN (
    SELECT DISTINCT ON (execution_id) execution_id,
        CASE event WHEN 'launched' THEN detail ->> 'status' ELSE event END AS status
    FROM agent_audit WHERE event IN (
        'launched', 'pending', 'running', 'completed', 'failed', 'cancelled', 'awaiting_review')
    ORDER BY execution_id, seq DESC
) a ON a.execution_id = e.id
WHERE a.status <> e.status
"""

FINAL_CALL = f"""
SELECT 'call ' || c.id, 'it is ' || c.status
    || CASE WHEN c.finished_at IS NULL THEN ' without' ELSE ' with' END || ' a finishing time'
FROM agent_tool_calls c WHERE (c.finished_at IS NOT NULL) <> (c.status IN {FINAL_CALLS})
"""

CLOSED_REVIEW = """
SELECT 'review ' || r.id, 'it is ' || r.status
    || CASE WHEN r.decided_at IS NULL THEN ' without' ELSE ' with' END || ' a time of decision'
FROM agent_reviews r WHERE (r.decided_at IS NOT NULL) <> (r.status <> 'open')
"""

I2 = Invariant(
    name="I2",
    promise="one driver",
    counted="executions",
    count="SELECT count(*) FROM agent_executions",
    rules=(LEASE_AND_STATUS, CLAIMS, CLAIM_NUMBERS, PAST_THE_FENCE),
)

I3 = Invariant(
    name="I3",
    promise="steps rise by exactly one",
    counted="steps",
    count="SELECT count(*) FROM agent_steps",
    rules=(STEP_NUMBERS, STEPS_FELL),
)

I7 = Invariant(
    name="I7",
    promise="final is final",
    counted="audit events",
    count="SELECT count(*) FROM agent_audit",
    rules=(MOVES, LAST_STATUS, FINAL_CALL, CLOSED_REVIEW),
)

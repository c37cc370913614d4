"""I5: nothing gated starts without the approval of enough people who may, over what ran."""

from __future__ import annotations

from executions.invariants.rule import Invariant

# What the execution's own definition said of its tools when it was launched.
DEFINED = """
    SELECT d.sha256, t ->> 'name' AS tool, t ->> 'approval' AS approval,
        coalesce((t ->> 'votes')::int, 1) AS votes
    FROM agent_definitions d
    CROSS JOIN LATERAL jsonb_array_elements(
        CASE jsonb_typeof(d.body -> 'tools') WHEN 'array' THEN d.body -> 'tools' ELSE '[]' END) t
"""

NOT_THIS_CALL = """
SELECT 'call ' || c.id, 'it started without an approved review of exactly this call'
FROM agent_tool_calls c LEFT JOIN agent_reviews r ON r.id = c.review_id
WHERE c.gated AND c.started_at IS NOT NULL
  AND (r.status, r.call_id, r.execution_id, r.tool_name, r.input_digest)
      IS DISTINCT FROM ('approved', c.id, c.execution_id, c.tool_name, c.input_digest)
"""

VALID_VOTES = "count(DISTINCT v.voter_id) FILTER (WHERE NOT u.is_service AND x.id IS NULL)"

# A call in doubt that people let run again started before that vote, so only the first counts.
TOO_FEW = f"""
SELECT 'call ' || c.id, 'it started with ' || {VALID_VOTES} || ' of '
    || greatest(r.required_votes, d.votes) || ' votes of people who may'
FROM agent_tool_calls c
JOIN agent_executions e ON e.id = c.execution_id
JOIN agent_reviews r ON r.id = c.review_id
LEFT JOIN ({DEFINED}) d ON d.sha256 = e.definition_id AND d.tool = c.tool_name
LEFT JOIN agent_review_votes v ON v.review_id = r.id AND v.vote = 'approve'
    AND v.withdrawn_at IS NULL
    AND v.input_digest = c.input_digest AND (v.created_at <= c.started_at OR r.kind = 'doubt')
    AND v.voter_id <> coalesce(e.launched_by, e.user_id)
LEFT JOIN accounts_user u ON u.id = v.voter_id
LEFT JOIN agent_reviews x ON x.call_id = c.id AND x.edited_by = v.voter_id
WHERE c.gated AND c.started_at IS NOT NULL
GROUP BY c.id, r.required_votes, d.votes
HAVING {VALID_VOTES} < greatest(r.required_votes, d.votes)
"""

TOO_EARLY_OR_LATE = """
SELECT 'call ' || c.id, 'it started at ' || c.started_at || '; its approval was given at '
    || coalesce(r.decided_at::text, 'no time') || ', in force from '
    || coalesce(r.effective_at, r.decided_at) || ' to ' || coalesce(r.expires_at::text, 'ever')
FROM agent_tool_calls c JOIN agent_reviews r ON r.id = c.review_id AND r.kind = 'approval'
WHERE c.gated AND c.started_at IS NOT NULL
  AND (r.decided_at IS NULL OR r.decided_at > c.started_at
       OR r.effective_at > c.started_at OR r.expires_at <= c.started_at)
"""

ONLY_DOUBTED = """
SELECT 'call ' || c.id, 'people let it run again, but nobody had approved its first start'
FROM agent_tool_calls c JOIN agent_reviews r ON r.id = c.review_id AND r.kind = 'doubt'
WHERE c.gated AND c.started_at IS NOT NULL AND NOT EXISTS (
    SELECT FROM agent_reviews a WHERE a.call_id = c.id AND a.kind = 'approval'
      AND a.status = 'approved' AND a.input_digest = c.input_digest
      AND a.decided_at <= c.started_at)
"""

UNGATED = f"""
SELECT 'call ' || c.id, c.tool_name || ' started without a gate, which it always has'
FROM agent_tool_calls c JOIN agent_executions e ON e.id = c.execution_id
JOIN ({DEFINED}) d ON d.sha256 = e.definition_id AND d.tool = c.tool_name
WHERE d.approval = 'always' AND NOT c.gated AND c.started_at IS NOT NULL
"""

OWN_WORK = """
SELECT 'vote ' || v.id, 'who launched or edited this, or is no person, approved it'
FROM agent_review_votes v
JOIN agent_reviews r ON r.id = v.review_id
JOIN agent_executions e ON e.id = r.execution_id
JOIN accounts_user u ON u.id = v.voter_id
LEFT JOIN agent_reviews x
    ON x.call_id = r.call_id AND x.edited_by = v.voter_id AND x.version <= r.version
WHERE v.vote = 'approve'
  AND (u.is_service OR v.voter_id = coalesce(e.launched_by, e.user_id) OR x.id IS NOT NULL)
"""

# Only who cast it withdraws it, and nothing that was approved may have lost a vote afterwards.
WITHDRAWN = """
SELECT 'vote ' || v.id, 'it was withdrawn at ' || v.withdrawn_at || CASE
    WHEN v.vote <> 'approve' THEN ', and it is no approval'
    WHEN r.status = 'approved' AND v.withdrawn_at > r.decided_at THEN ', after the approval'
    ELSE ', and the audit trail has no word of it by its voter' END
FROM agent_review_votes v JOIN agent_reviews r ON r.id = v.review_id
WHERE v.withdrawn_at IS NOT NULL AND (
    v.vote <> 'approve' OR r.status = 'approved' AND v.withdrawn_at > r.decided_at
    OR NOT EXISTS (
        SELECT FROM agent_audit a WHERE a.execution_id = r.execution_id
          AND a.event = 'vote_withdrawn' AND a.actor_id = v.voter_id
          AND a.detail ->> 'review' = r.id::text))
"""

I5 = Invariant(
    name="I5",
    promise="nothing gated without approval",
    counted="gated calls that started",
    count="SELECT count(*) FROM agent_tool_calls WHERE gated AND started_at IS NOT NULL",
    rules=(NOT_THIS_CALL, TOO_FEW, TOO_EARLY_OR_LATE, ONLY_DOUBTED, UNGATED, OWN_WORK, WITHDRAWN),
)

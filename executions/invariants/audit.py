"""I12: the audit trail is whole."""

from __future__ import annotations

from executions.invariants.rule import Invariant

# Together they say what agentops_audit_broken() says, several times as fast, and can be scoped.
ALTERED = """
SELECT 'execution ' || a.execution_id, 'audit event ' || a.seq || ' was altered'
FROM agent_audit a
WHERE a.hash <> agentops_audit_hash(
    a.prev_hash, a.execution_id, a.seq, a.at, a.event, a.actor_id, a.detail)
"""

BROKEN = """
SELECT 'execution ' || a.execution_id, 'audit event ' || a.seq || ' does not follow the one before'
FROM agent_audit a
LEFT JOIN agent_audit b ON b.execution_id = a.execution_id AND b.seq = a.seq - 1
WHERE a.prev_hash <> coalesce(b.hash, '') OR a.seq > 1 AND b.seq IS NULL OR a.seq < 1
"""

MISSING = """
SELECT 'execution ' || e.id, 'its audit trail does not begin with its launch'
FROM agent_executions e LEFT JOIN agent_audit a
    ON a.execution_id = e.id AND a.seq = 1 AND a.event = 'launched'
WHERE a.execution_id IS NULL
"""

I12 = Invariant(
    name="I12",
    promise="the audit trail is append-only",
    counted="audit events",
    count="SELECT count(*) FROM agent_audit",
    rules=(ALTERED, BROKEN, MISSING),
)

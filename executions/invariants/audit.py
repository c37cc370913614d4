"""I12: the audit trail is whole, and no sealed chain was cut."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connection

from executions.invariants.rule import Invariant, Situation, Violation

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

# All sealed chains, whatever the scope: what is cut is mostly old.
CUT = """
SELECT 'execution ' || c.execution_id,
    'audit event ' || c.seq || ' was sealed, and is gone or another now'
FROM agentops_audit_cut() c
"""

RESEALED = """
SELECT 'seal ' || s.seal_id, 'it does not follow the one before, or its heads are not those sealed'
FROM agentops_seals_broken(%(since)s::timestamptz) s
"""

# A seal takes what was written before it; a transaction may have been open for a while then.
UNSEALED = """
SELECT 'execution ' || h.execution_id,
    'its audit trail has ' || h.seq || ' events, and the seal at ' || h.at || ' covers '
    || coalesce(s.seq, 0)
FROM (
    SELECT a.execution_id, max(a.seq) AS seq, l.at
    FROM (SELECT at FROM agent_audit_seals ORDER BY id DESC LIMIT 1) l
    JOIN agent_audit a ON a.at < l.at - interval '10 minutes' GROUP BY a.execution_id, l.at
) h LEFT JOIN (
    SELECT execution_id, max(seq) AS seq FROM agent_audit_sealed GROUP BY execution_id
) s ON s.execution_id = h.execution_id
WHERE h.seq > coalesce(s.seq, 0)
"""

SEALED_AS = "SELECT heads_hash, executions, events FROM agent_audit_seals WHERE id = %s"


def against_exported_seals(situation: Situation) -> Iterator[Violation]:
    """Compare with seals kept outside: whoever rewrote history, or lost its end, shows."""
    for seal in situation.seals:
        with connection.cursor() as cursor:
            cursor.execute(SEALED_AS, [seal.id])
            found = cursor.fetchone()
        if found is None:
            yield Violation(f"seal {seal.id}", f"it was exported ({seal.at}), and is not here")
        elif found != (seal.heads_hash, seal.executions, seal.events):
            yield Violation(f"seal {seal.id}", f"it is another than the one exported ({seal.at})")


I12 = Invariant(
    name="I12",
    promise="the audit trail is append-only",
    counted="audit events",
    count="SELECT count(*) FROM agent_audit",
    rules=(ALTERED, BROKEN, MISSING, CUT, RESEALED, UNSEALED),
    searches=(against_exported_seals,),
)

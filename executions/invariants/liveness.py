"""I1 and I13: every execution is somewhere, and nothing hangs."""

from __future__ import annotations

from executions.invariants.rule import LONG_AGO, UNFINISHED, Invariant

# Runners stand now, and stood when the grace began: somebody could have done it.
CAPACITY = f"""
    EXISTS (SELECT FROM agent_runners l WHERE l.dead_at IS NULL AND l.lease_until > %(now)s)
    AND EXISTS (SELECT FROM agent_runners l
        WHERE l.started_at <= {LONG_AGO} AND coalesce(l.dead_at, l.lease_until) >= {LONG_AGO})
"""

# A runner that is nearly full takes what there is room for, and the queue's tail waits rightly.
ROOM = """
    (SELECT sum(l.capacity) > 0 AND sum(l.in_flight) < 0.9 * sum(l.capacity) FROM agent_runners l
     WHERE l.dead_at IS NULL AND l.lease_until > %(now)s AND NOT l.is_draining)
"""

AWAITS_NOTHING = f"""
SELECT 'execution ' || e.id, 'it awaits a review, but none is open'
FROM agent_executions e
WHERE e.status = 'awaiting_review' AND e.updated_at < {LONG_AGO}
  AND NOT EXISTS (SELECT FROM agent_reviews r WHERE r.execution_id = e.id AND r.status = 'open')
"""

HELD_BY_NOBODY = f"""
SELECT 'execution ' || e.id, 'it runs under runner ' || e.lease_owner || ', which does not exist'
FROM agent_executions e
WHERE e.status = 'running' AND e.updated_at < {LONG_AGO}
  AND NOT EXISTS (SELECT FROM agent_runners r WHERE r.id = e.lease_owner)
"""

# What a switch holds back waits rightly, and from its lifting on it has as long as anything new.
SWITCHES = """
    SELECT max(s.changed_at) AS changed_at, bool_or(s.state <> 'on') AS any_off
    FROM agent_controls s WHERE s.scope = 'all' OR s.scope = 'agent' AND s.key = e.agent_type
"""

UNHEARD = f"""
SELECT 'execution ' || e.id, 'it is pending since ' || due || ' although runners have room'
FROM agent_executions e, LATERAL ({SWITCHES}) AS switch,
    greatest(e.updated_at, e.wake_at, switch.changed_at) AS due
WHERE e.status = 'pending' AND switch.any_off IS NOT TRUE
  AND due < {LONG_AGO} AND {CAPACITY} AND {ROOM}
"""

ABANDONED = f"""
SELECT 'execution ' || e.id, 'its runner is gone since ' || coalesce(r.dead_at, r.lease_until)
FROM agent_executions e JOIN agent_runners r ON r.id = e.lease_owner
WHERE e.status = 'running' AND coalesce(r.dead_at, r.lease_until) < {LONG_AGO} AND {CAPACITY}
"""

POISONOUS = f"""
SELECT 'execution ' || e.id, e.attempts || ' attempts without progress, and it has not ended'
FROM agent_executions e
WHERE e.attempts > 5 AND e.status IN {UNFINISHED} AND e.updated_at < {LONG_AGO}
"""

# Housekeeping comes by each minute; it gets one more before this is a violation.
OVERDUE = f"""
SELECT 'review ' || r.id, 'it expired at ' || r.expires_at || ' and is still open'
FROM agent_reviews r
WHERE r.status = 'open' AND r.kind = 'approval'
  AND r.expires_at < {LONG_AGO} - interval '60 seconds' AND {CAPACITY}
"""

I1 = Invariant(
    name="I1",
    promise="nothing lost",
    counted="executions",
    count="SELECT count(*) FROM agent_executions",
    rules=(AWAITS_NOTHING, HELD_BY_NOBODY, UNHEARD),
)

I13 = Invariant(
    name="I13",
    promise="nothing hangs",
    counted="unfinished executions",
    count=f"SELECT count(*) FROM agent_executions WHERE status IN {UNFINISHED}",
    rules=(ABANDONED, POISONOUS, OVERDUE),
)

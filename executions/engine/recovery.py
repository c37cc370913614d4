"""Housekeeping each minute: ring again for whatever nobody has heard, and count what was found.

Runners notice dead runners by themselves; this is for the time when no runner stands.
"""

from __future__ import annotations

import logging

from django.db import connection

from executions.commits import commit
from executions.core.row_format import ROW_FORMAT
from executions.engine import tickets
from executions.engine.leases import FREE

log = logging.getLogger(__name__)

BURY = """
UPDATE agent_runners SET dead_at = clock_timestamp() WHERE id IN (
    SELECT id FROM agent_runners WHERE dead_at IS NULL AND lease_until < clock_timestamp()
    FOR NO KEY UPDATE SKIP LOCKED)
"""
FORGET = "DELETE FROM agent_runners r WHERE dead_at < clock_timestamp() - interval '1 day'"
UNSTICK = """
UPDATE agent_executions SET status = 'pending'
WHERE status = 'awaiting_review' AND open_reviews = 0
"""
# standing tickets of clusters that are gone
SWEEP = """
DELETE FROM django_q_ormq WHERE key LIKE '%:%' AND lock < clock_timestamp() - interval '1 hour'
"""
# what workers reported; the executions' own rows tell what happened
TASKS = "DELETE FROM django_q_task WHERE stopped < clock_timestamp() - interval '7 days'"
SESSIONS = "DELETE FROM django_session WHERE expire_date < clock_timestamp()"
CLAIMABLE = f"""
SELECT EXISTS (SELECT FROM agent_executions e WHERE status = 'pending'
        AND row_format <= {ROW_FORMAT}
        AND (wake_at IS NULL OR wake_at <= clock_timestamp())
        AND (cancel_requested_at IS NOT NULL OR NOT EXISTS (
            SELECT FROM agent_controls s WHERE s.state <> 'on'
            AND (s.scope = 'all' OR s.scope = 'agent' AND s.key = e.agent_type))))
    OR EXISTS (SELECT FROM agent_executions e LEFT JOIN agent_runners r ON r.id = e.lease_owner
        WHERE e.status = 'running' AND (r.id IS NULL OR r.dead_at IS NOT NULL)
        AND e.row_format <= {ROW_FORMAT})
"""
NEWER = f"""
SELECT count(*) FROM agent_executions e LEFT JOIN agent_runners r ON r.id = e.lease_owner
WHERE e.row_format > {ROW_FORMAT} AND (e.status = 'pending'
    OR e.status = 'running' AND (r.id IS NULL OR r.dead_at IS NOT NULL))
"""

STATEMENTS = {
    "freed": FREE,
    "buried": BURY,
    "unstuck": UNSTICK,
    "forgotten": FORGET,
    "swept": SWEEP,
    "pruned": TASKS,
    "logged_out": SESSIONS,
}


def recover() -> dict[str, int]:
    """Bury runners whose lease ran out, free what waits for nothing, ring if work is there."""
    found: dict[str, int] = {}
    with commit("recover"), connection.cursor() as cursor:
        for name, statement in STATEMENTS.items():
            cursor.execute(statement)
            found[name] = cursor.rowcount
        cursor.execute(CLAIMABLE)
        row = cursor.fetchone()
        if row and row[0]:
            tickets.ring()
            found["rang"] = 1
        cursor.execute(NEWER)
        (newer,) = cursor.fetchone()
    if newer:
        found["newer"] = newer
        log.error(
            "%d executions were written by newer code than this; they wait for it, untouched", newer
        )
    return found

"""Seals over the audit trail: one hash over all chains' heads, chained to the seal before."""

from __future__ import annotations

from django.db import connection, transaction


def seal_audit() -> dict[str, int]:
    """Seal every chain that has moved since the last seal; two at once wait for each other."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT id, executions, events FROM agentops_seal_audit()")
        id, executions, events = cursor.fetchone()
    return {"seal": id, "executions": executions, "events": events}

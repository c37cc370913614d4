"""Tickets: django-q2 messages that say "look at this execution". A doorbell, never the truth."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django_q.conf import Conf
from django_q.humanhash import uuid
from django_q.signing import SignedPackage
from django_q.tasks import async_task

from executions.commits import commit
from executions.engine import drain
from executions.engine.broker import CHANNEL, RING, standing_key
from executions.engine.config import configured
from executions.engine.connections import Connection, Link
from executions.engine.runner import Runner

CLUSTER = "agents"
DRIVE = "executions.engine.tickets.drive"
FIRST_LOCK_KEY = 7_311_002
LOST_THREADS = 4  # stuck tool threads after which only a new process helps

NOTIFY = f"SELECT pg_notify('{CHANNEL}', %s)"
WAITING = "SELECT 1 FROM django_q_ormq WHERE key = %s AND lock <= clock_timestamp() LIMIT 1"
# Locked tickets are in a worker's hands. Each deletion is a transaction of its own, before the
# claim: whatever was committed with a deleted ticket is claimable by then.
CLEAR = """
DELETE FROM django_q_ormq WHERE id IN (
    SELECT id FROM django_q_ormq WHERE key = %s AND lock <= clock_timestamp()
    FOR UPDATE SKIP LOCKED)
"""


def ring(execution_id: UUID | None = None) -> None:
    """Ring inside the caller's transaction: the ticket commits or vanishes with it."""
    argument = None if execution_id is None else str(execution_id)
    async_task(DRIVE, argument, cluster=CLUSTER)


def ring_standing() -> None:
    """Ring for a worker of this cluster to stand as a runner; no runner deletes this ticket."""
    with commit("ring_standing"):
        async_task(DRIVE, cluster=standing_key(Conf.CLUSTER_NAME))


def is_standing_ticket_waiting() -> bool:
    """Test if one waits already: those of dead workers are used up instead of adding up."""
    with connection.cursor() as cursor:
        cursor.execute(WAITING, [standing_key(Conf.CLUSTER_NAME)])
        return cursor.fetchone() is not None


def ring_first_standing() -> None:
    """Ring for the one solo runner of this cluster, whichever of its workers comes first."""
    with commit("ring_first"), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [FIRST_LOCK_KEY])
        key = standing_key(Conf.CLUSTER_NAME)
        cursor.execute("SELECT 1 FROM django_q_ormq WHERE key = %s LIMIT 1", [key])
        if cursor.fetchone() is None:
            ring_standing()


async def ring_on(conn: Connection) -> None:
    """Ring inside the transaction that is open on the engine's own connection."""
    key, name = uuid()[1], "yielded"
    package = {
        "id": key,
        "name": name,
        "func": DRIVE,
        "args": (None,),
        "kwargs": {},
        "started": datetime.now(UTC),
    }
    await conn.execute(RING, (CLUSTER, SignedPackage.dumps(package)))
    await conn.execute(NOTIFY, (CLUSTER,))


async def clear(conn: Link) -> None:
    """Delete the tickets nobody has taken; a claim must follow."""
    await conn.execute(CLEAR, (CLUSTER,), at="clear_tickets")


def drive(execution_id: str | None = None, **_: Any) -> dict[str, int]:
    """Become this worker's standing runner for one slice, then ring for the next one.

    Runs in a worker of the agents cluster, or as the solo runner in the housekeeping one. Which
    execution rang does not matter: the runner claims all it has room for.
    """
    if drain.is_requested():
        return {"drained": 1}
    config = configured(is_solo=Conf.CLUSTER_NAME != CLUSTER)
    with asyncio.Runner() as loop:
        report = loop.run(Runner(config, ring=ring_on, clear=clear).run())
        if not drain.is_requested() and not is_standing_ticket_waiting():
            ring_standing()
        if report["lost_threads"] >= LOST_THREADS or report["lost_tasks"]:
            os._exit(75)
    return report

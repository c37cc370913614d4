"""Who may drive what: runners' leases, claims, and noticing the dead.

A runner's lease is its one row in `agent_runners`. While it lives it also holds a session
advisory lock, which PostgreSQL drops the moment its process is gone.
"""

from __future__ import annotations

import asyncio
import os
import socket
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from executions import faults
from executions.core.row_format import ROW_FORMAT
from executions.engine import connections
from executions.engine.connections import Connection, Link
from executions.engine.switches import Switches

LOCK_CLASS = 7_311  # first half of every runner's advisory lock

REGISTER = """
INSERT INTO agent_runners (host, pid, capacity, is_solo, version, lease_until)
VALUES (%s, %s, %s, %s, %s, clock_timestamp() + make_interval(secs => %s)) RETURNING id, lock_key
"""

HEARTBEAT = """
UPDATE agent_runners SET heartbeat_at = clock_timestamp(), in_flight = %s, is_draining = %s,
    lease_until = clock_timestamp() + make_interval(secs => %s)
WHERE id = %s AND dead_at IS NULL
"""

RETIRE = "UPDATE agent_runners SET dead_at = clock_timestamp(), in_flight = 0 WHERE id = %s"

# Dead: the lease ran out; or the lock is free, and the runner is of this host, whose processes we
# can look at, or was seen free before. A restarted PostgreSQL has lost every lock: the living take
# theirs again within a second or so, and until then, or where we cannot look, only the lease tells.
SUSPECTS = """
SELECT r.id, r.host, r.pid, r.lease_until < clock_timestamp() AS expired,
    clock_timestamp() > pg_postmaster_start_time() + interval '3 seconds' AND NOT EXISTS (
        SELECT FROM pg_locks l WHERE l.locktype = 'advisory' AND l.granted
        AND l.classid = %s AND l.objid = r.lock_key::bigint::oid AND l.objsubid = 2) AS unlocked,
    r.started_at > pg_postmaster_start_time() AS held
FROM agent_runners r WHERE r.dead_at IS NULL AND r.id <> %s
"""

SESSION = "agentops journal "  # and the runner's id: how its journal's session is known

# One whose lease ran out while it stood still, or was cut off, in the middle of a commit would keep
# the rows of that locked. psycopg's pipelines leave PostgreSQL's own time-out for this unarmed.
FREE = f"""
SELECT pg_terminate_backend(a.pid) FROM agent_runners r JOIN pg_stat_activity a
    ON a.application_name = '{SESSION}' || r.id AND a.datname = current_database()
WHERE r.dead_at IS NULL AND r.lease_until < clock_timestamp()
  AND a.state IN ('idle in transaction', 'idle in transaction (aborted)')
"""

# Nobody's heartbeat waits for a locked row: the next look finds it free.
BURY = """
UPDATE agent_runners SET dead_at = clock_timestamp() WHERE id IN (
    SELECT id FROM agent_runners WHERE id = ANY(%s) AND dead_at IS NULL
    FOR NO KEY UPDATE SKIP LOCKED)
"""

# One that was taken for dead claims nothing, not even before it hears of it.
CLAIM_PENDING = f"""
WITH mine AS (
    SELECT id FROM agent_executions
    WHERE status = 'pending' AND (wake_at IS NULL OR wake_at <= clock_timestamp())
      AND (cancel_requested_at IS NOT NULL
           OR NOT (%(all_off)s OR agent_type = ANY(%(agents_off)s)))
      AND row_format <= {ROW_FORMAT}
      AND EXISTS (SELECT FROM agent_runners WHERE id = %(runner)s AND dead_at IS NULL)
    ORDER BY priority DESC, created_at LIMIT %(room)s FOR NO KEY UPDATE SKIP LOCKED)
UPDATE agent_executions e SET status = 'running', lease_owner = %(runner)s,
    lease_token = lease_token + 1, attempts = attempts + 1, wake_at = NULL,
    row_format = {ROW_FORMAT}
FROM mine WHERE e.id = mine.id RETURNING e.id
"""

# What a dead runner held. One of these may have killed it, so they are tried apart from the rest:
# first in small groups, and whatever dies again alone.
CLAIM_ABANDONED = f"""
WITH mine AS (
    SELECT e.id FROM agent_executions e LEFT JOIN agent_runners r ON r.id = e.lease_owner
    WHERE e.status = 'running' AND (r.id IS NULL OR r.dead_at IS NOT NULL)
      AND e.row_format <= {ROW_FORMAT} AND e.attempts BETWEEN %(low)s AND %(high)s
      AND EXISTS (SELECT FROM agent_runners WHERE id = %(runner)s AND dead_at IS NULL)
    ORDER BY e.attempts LIMIT %(room)s FOR NO KEY UPDATE OF e SKIP LOCKED)
UPDATE agent_executions e SET lease_owner = %(runner)s,
    lease_token = lease_token + 1, attempts = attempts + 1, row_format = {ROW_FORMAT}
FROM mine WHERE e.id = mine.id RETURNING e.id
"""


SOLO_LIVES = """
SELECT EXISTS (SELECT FROM agent_runners
    WHERE is_solo AND dead_at IS NULL AND lease_until > clock_timestamp())
"""

GROUP_SIZE = 32
GROUPS = ((0, 1, GROUP_SIZE), (2, 1_000_000, 1))  # attempts from, to, how many at once


# Whoever still has a runner's lock is its own former session, that PostgreSQL takes for alive.
HANG_UP = """
SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted
AND classid = %s AND objid = %s::bigint::oid AND objsubid = 2 AND pid <> pg_backend_pid()
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


@dataclass
class Lease:
    """This runner's own row."""

    id: UUID
    lock_key: int
    seconds: int


async def register(
    conn: Connection, *, capacity: int, version: str, lease_s: int, is_solo: bool = False
) -> Lease:
    """Make this process's row and take its advisory lock on `conn`, to be kept open."""
    values = (socket.gethostname(), os.getpid(), capacity, is_solo, version, lease_s)
    faults.hit("register.before", conn)
    row = await (await conn.execute(REGISTER, values)).fetchone()
    faults.hit("register.after", conn)
    assert row is not None
    lease = Lease(row[0], row[1], lease_s)
    await hold(conn, lease)
    return lease


async def hold(conn: Connection, lease: Lease) -> None:
    """Take the advisory lock that shows others this process lives."""
    await conn.execute("SELECT pg_advisory_lock(%s::int, %s::int)", (LOCK_CLASS, lease.lock_key))


async def hold_anew(lease: Lease) -> Connection:
    """Take the lock on a new connection, however long the database is away; return it."""
    while True:
        try:
            conn = await connections.connect(name="agentops lease")
        except connections.LOST:
            await asyncio.sleep(connections.AGAIN_S)
            continue
        try:
            await conn.execute(HANG_UP, (LOCK_CLASS, lease.lock_key))
            await hold(conn, lease)
            return conn
        except connections.LOST:
            await conn.close()
        except BaseException:
            await conn.close()
            raise


async def renew(conn: Link, lease: Lease, *, in_flight: int, draining: bool) -> bool:
    """Put the lease's end off. False: others took this runner for dead; all it held is lost."""
    values = (in_flight, draining, lease.seconds, lease.id)
    cursor = await conn.execute(HEARTBEAT, values, at="heartbeat")
    return bool(cursor.rowcount == 1)


async def retire(conn: Link, lease: Lease) -> None:
    """Give everything up at once; what was still driven is claimable."""
    await conn.execute(RETIRE, (lease.id,), at="retire")


class Undertaker:
    """Looks for dead runners. Remembers whom it saw without their lock, to look twice."""

    def __init__(self, lease: Lease) -> None:
        self.lease = lease
        self.seen_unlocked: set[UUID] = set()

    async def bury(self, conn: Link) -> int:
        """Mark the dead; return how many were found."""
        cursor = await conn.execute(SUSPECTS, (LOCK_CLASS, self.lease.id))
        rows: list[Any] = await cursor.fetchall()
        dead = [id for id, host, pid, expired, unlocked, held in rows if expired or (
            unlocked and (_gone(host, pid) or (held and id in self.seen_unlocked)))]  # fmt: skip
        self.seen_unlocked = {id for id, _, _, _, unlocked, _ in rows if unlocked}
        if dead:
            await conn.execute(FREE)
            await conn.execute(BURY, (dead,), at="bury")
        return len(dead)


async def claim(conn: Link, lease: Lease, *, room: int, switches: Switches) -> list[UUID]:
    """Take up to `room` pending executions, the most urgent and oldest first.

    What a switch holds back stays where it is, unless it is to be cancelled.
    """
    values = {"room": room, "runner": lease.id, **switches.for_claim()}
    cursor = await conn.execute(CLAIM_PENDING, values, at="claim")
    return [row[0] for row in await cursor.fetchall()]


async def claim_abandoned(conn: Link, lease: Lease, *, room: int) -> list[UUID]:
    """Take a group of what dead runners held, or one that has died before in such a group.

    The caller drives nothing else until each of them has made progress or ended.
    """
    for low, high, most in GROUPS:
        values = {"low": low, "high": high, "room": min(room, most), "runner": lease.id}
        cursor = await conn.execute(CLAIM_ABANDONED, values, at="claim_abandoned")
        if taken := [row[0] for row in await cursor.fetchall()]:
            return taken
    return []


async def solo_lives(conn: Link) -> bool:
    """Test if a solo runner stands somewhere, so that others may leave the abandoned to it."""
    cursor = await conn.execute(SOLO_LIVES)
    row = await cursor.fetchone()
    return bool(row[0])


def _gone(host: str, pid: int) -> bool:
    """Test if the process is of this host and does not exist (or is a zombie) any more."""
    if host != socket.gethostname():
        return False
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
            return stat.read().rpartition(")")[2].split()[0] in "ZX"
    except FileNotFoundError:
        return os.path.isdir("/proc/self")
    except OSError:
        return False

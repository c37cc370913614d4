"""Who may drive what: runners' leases, claims, and noticing the dead.

A runner's lease is its one row in `agent_runners`. While it lives it also holds a session
advisory lock, which PostgreSQL drops the moment its process is gone.
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from executions.engine.connections import Connection, Link

LOCK_CLASS = 7_311  # first half of every runner's advisory lock

REGISTER = """
INSERT INTO agent_runners (host, pid, capacity, version, lease_until)
VALUES (%s, %s, %s, %s, clock_timestamp() + make_interval(secs => %s)) RETURNING id, lock_key
"""

HEARTBEAT = """
UPDATE agent_runners SET heartbeat_at = clock_timestamp(), in_flight = %s, is_draining = %s,
    lease_until = clock_timestamp() + make_interval(secs => %s)
WHERE id = %s AND dead_at IS NULL
"""

RETIRE = "UPDATE agent_runners SET dead_at = clock_timestamp(), in_flight = 0 WHERE id = %s"

# Dead: the lease ran out; or the lock is free although PostgreSQL has been up since it was taken
# and the runner is of this host, whose processes we can look at, or was seen free before.
SUSPECTS = """
SELECT r.id, r.host, r.pid, r.lease_until < clock_timestamp() AS expired,
    r.started_at > pg_postmaster_start_time() AND NOT EXISTS (
        SELECT FROM pg_locks l WHERE l.locktype = 'advisory' AND l.granted
        AND l.classid = %s AND l.objid = r.lock_key::bigint::oid AND l.objsubid = 2) AS unlocked
FROM agent_runners r WHERE r.dead_at IS NULL AND r.id <> %s
"""

BURY = """
UPDATE agent_runners SET dead_at = clock_timestamp()
WHERE id = ANY(%s) AND dead_at IS NULL
"""

CLAIM_PENDING = """
WITH mine AS (
    SELECT id FROM agent_executions
    WHERE status = 'pending' AND (wake_at IS NULL OR wake_at <= clock_timestamp())
    ORDER BY priority DESC, created_at LIMIT %(room)s FOR NO KEY UPDATE SKIP LOCKED)
UPDATE agent_executions e SET status = 'running', lease_owner = %(runner)s,
    lease_token = lease_token + 1, attempts = attempts + 1, wake_at = NULL
FROM mine WHERE e.id = mine.id RETURNING e.id
"""

CLAIM_ABANDONED = """
WITH mine AS (
    SELECT e.id FROM agent_executions e LEFT JOIN agent_runners r ON r.id = e.lease_owner
    WHERE e.status = 'running' AND (r.id IS NULL OR r.dead_at IS NOT NULL)
    LIMIT %(room)s FOR NO KEY UPDATE OF e SKIP LOCKED)
UPDATE agent_executions e SET lease_owner = %(runner)s,
    lease_token = lease_token + 1, attempts = attempts + 1
FROM mine WHERE e.id = mine.id RETURNING e.id
"""


@dataclass
class Lease:
    """This runner's own row."""

    id: UUID
    lock_key: int
    seconds: int


async def register(conn: Connection, *, capacity: int, version: str, lease_s: int) -> Lease:
    """Make this process's row and take its advisory lock on `conn`, to be kept open."""
    cursor = await conn.execute(
        REGISTER, (socket.gethostname(), os.getpid(), capacity, version, lease_s)
    )
    row = await cursor.fetchone()
    assert row is not None
    lease = Lease(row[0], row[1], lease_s)
    await hold(conn, lease)
    return lease


async def hold(conn: Connection, lease: Lease) -> None:
    """Take the advisory lock that shows others this process lives."""
    await conn.execute("SELECT pg_advisory_lock(%s::int, %s::int)", (LOCK_CLASS, lease.lock_key))


async def renew(conn: Link, lease: Lease, *, in_flight: int, draining: bool) -> bool:
    """Put the lease's end off. False: others took this runner for dead; all it held is lost."""
    cursor = await conn.execute(HEARTBEAT, (in_flight, draining, lease.seconds, lease.id))
    return bool(cursor.rowcount == 1)


async def retire(conn: Link, lease: Lease) -> None:
    """Give everything up at once; what was still driven is claimable."""
    await conn.execute(RETIRE, (lease.id,))


class Undertaker:
    """Looks for dead runners. Remembers whom it saw without their lock, to look twice."""

    def __init__(self, lease: Lease) -> None:
        self.lease = lease
        self.seen_unlocked: set[UUID] = set()

    async def bury(self, conn: Link) -> int:
        """Mark the dead; return how many were found."""
        cursor = await conn.execute(SUSPECTS, (LOCK_CLASS, self.lease.id))
        rows: list[Any] = await cursor.fetchall()
        dead = [id for id, host, pid, expired, unlocked in rows if expired or (
            unlocked and (_gone(host, pid) or id in self.seen_unlocked))]  # fmt: skip
        self.seen_unlocked = {id for id, _, _, _, unlocked in rows if unlocked}
        if dead:
            await conn.execute(BURY, (dead,))
        return len(dead)


async def claim(conn: Link, lease: Lease, *, room: int, abandoned: bool) -> list[UUID]:
    """Take up to `room` executions: first the abandoned ones if asked, then pending ones."""
    taken: list[UUID] = []
    for statement in (CLAIM_ABANDONED,) * abandoned + (CLAIM_PENDING,):
        if room > len(taken):
            cursor = await conn.execute(statement, {"room": room - len(taken), "runner": lease.id})
            taken += [row[0] for row in await cursor.fetchall()]
    return taken


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

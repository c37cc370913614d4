"""A million executions: how long the hourly check takes beside them, and the pages people open."""

from __future__ import annotations

import resource
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from bench import history, pages
from bench.place import Place
from executions.engine.seals import seal_audit
from executions.invariants import verify

LEAST_FREE_BYTES = 12_000  # per execution, WAL and temporary files included
# What is filled once and then read need not survive a crash of the machine.
QUICKLY = ("fsync", "full_page_writes", "synchronous_commit", "autovacuum")


def measure(place: Place, *, executions: int, times: int) -> dict[str, dict[str, Any]]:
    """Fill, then time seals, checks and pages; return the figures by column."""
    free = shutil.disk_usage(place.server.base).free
    if free < executions * LEAST_FREE_BYTES:
        raise SystemExit(
            f"{executions:,} executions need about {executions * 10_000:,} bytes of disk"
        )
    columns: dict[str, dict[str, Any]] = {}
    with place.server.connect_as_admin(database="agentops") as conn:
        columns["filled by SQL"] = {"seconds": _timed(lambda: _fill(conn, executions))}
        columns["first seal"] = {"seconds": _timed(seal_audit)}
        conn.execute("VACUUM ANALYZE agent_audit_sealed")
        columns["filled by SQL"]["gigabytes"] = _gigabytes(conn)
    columns["next seal"] = {"seconds": _timed(seal_audit)}
    columns["hourly check"] = _check(hours=24)
    columns["whole check"] = _check(hours=None)
    return {**columns, **pages.measure(times=times)}


def _fill(conn: psycopg.Connection, executions: int) -> None:
    with _quickly(conn):
        size = {"unfinished": executions // 200, "recent": executions // 50}
        for number in history.fill(conn, executions=executions, **size):
            print(f"  {number:,} of {executions:,}", file=sys.stderr, flush=True)
        conn.execute("VACUUM ANALYZE")


@contextmanager
def _quickly(conn: psycopg.Connection) -> Iterator[None]:
    """No triggers in this session, no waiting for the disk, and pages as full as old ones are."""
    for name in QUICKLY:
        conn.execute(f"ALTER SYSTEM SET {name} = off")
    conn.execute("SELECT pg_reload_conf()")
    conn.execute("SET session_replication_role = replica")
    conn.execute("ALTER TABLE agent_tool_calls SET (fillfactor = 90)")
    conn.execute("ALTER TABLE agent_executions SET (fillfactor = 80)")
    yield
    for name in QUICKLY:
        conn.execute(f"ALTER SYSTEM RESET {name}")
    conn.execute("SELECT pg_reload_conf()")


def _check(*, hours: float | None) -> dict[str, Any]:
    """Verify everything; an honest history that breaks a promise fails the benchmark."""
    began = time.perf_counter()
    found = list(verify(hours=hours))
    seconds = time.perf_counter() - began
    broken = [one.examples for one in found if one.violations]
    assert not broken, broken
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": seconds, "peak_mb": peak_mb, "executions": found[0].rows}


def _timed(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _gigabytes(conn: psycopg.Connection) -> float:
    row = conn.execute("SELECT pg_database_size(current_database()) / 1e9").fetchone()
    assert row
    return float(row[0])

"""A million executions: how long the hourly check takes beside them, and the pages people open."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from typing import Any

import psycopg

from bench import history, pages
from bench.place import Place
from executions.engine.seals import seal_audit
from executions.invariants import verify


def measure(place: Place, *, executions: int, times: int) -> dict[str, dict[str, Any]]:
    """Fill, then time seals, checks and pages; return the figures by column."""
    history.check_room(place, executions)
    columns: dict[str, dict[str, Any]] = {}
    with place.server.connect_as_admin(database="agentops") as conn:
        size = {"executions": executions, "unfinished": executions // 200}
        filled = _timed(lambda: history.fill_quickly(conn, **size))
        columns["filled by SQL"] = {"seconds": filled}
        columns["first seal"] = {"seconds": _timed(seal_audit)}
        conn.execute("VACUUM ANALYZE agent_audit_sealed")
        columns["filled by SQL"]["gigabytes"] = _gigabytes(conn)
    columns["next seal"] = {"seconds": _timed(seal_audit)}
    columns["hourly check"] = _check(hours=24)
    columns["whole check"] = _check(hours=None)
    return {**columns, **pages.measure(times=times)}


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

"""What the server did between two moments: commits, WAL, updates, CPU."""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass
from typing import Any

import psycopg

from bench.place import Place
from bench.processes import family_cpu_s

SETTLE_S = 0.5  # backends hand in their counters when they end

COUNTERS = """
SELECT (SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()) AS commits,
    pg_current_wal_insert_lsn() - '0/0' AS wal_bytes, {fsyncs} AS fsyncs,
    coalesce(sum(n_tup_upd) FILTER (WHERE relname = 'agent_executions'), 0) AS execution_updates,
    coalesce(sum(n_tup_hot_upd) FILTER (WHERE relname = 'agent_executions'), 0) AS execution_hot,
    coalesce(sum(n_tup_upd) FILTER (WHERE relname = 'agent_tool_calls'), 0) AS call_updates,
    coalesce(sum(n_tup_hot_upd) FILTER (WHERE relname = 'agent_tool_calls'), 0) AS call_hot
FROM pg_stat_user_tables
"""
FSYNCS = "(SELECT wal_sync FROM pg_stat_wal)"
FSYNCS_FROM_18 = "(SELECT sum(fsyncs) FROM pg_stat_io WHERE object = 'wal')"


@dataclass
class Meter:
    """Begins with a checkpoint, so that every run pays for its full-page images."""

    place: Place
    database: str = "agentops"

    def __post_init__(self) -> None:
        self._conn = self.place.server.connect_as_admin(database=self.database)
        self._conn.execute("CHECKPOINT")
        self._begin = self._lsn()
        self._before = self._read()

    def stop(self) -> dict[str, float]:
        """Return what happened since: counts, bytes, and `pg_cpu_s` where the system tells it."""
        lsn = self._lsn()
        cpu_s = family_cpu_s(self.place.postmaster)
        time.sleep(SETTLE_S)
        after = self._read()
        self._conn.close()
        if cpu_s is not None:
            after["pg_cpu_s"] = cpu_s
        passed = {name: after[name] - self._before[name] for name in after}
        return {**passed, **self._wal(lsn)}

    def _lsn(self) -> str:
        row = self._conn.execute("SELECT pg_current_wal_insert_lsn()::text").fetchone()
        assert row is not None
        return str(row[0])

    def _wal(self, end: str) -> dict[str, float]:
        """Return the bytes of WAL until `end`, in all and (where pg_waldump is) as records alone.

        The rest are images of pages first touched after the checkpoint: many in a run of seconds,
        few between two checkpoints of a long life.
        """
        programs, files = self.place.server.programs, self.place.server.data / "pg_wal"
        if not os.access(programs.folder / "pg_waldump", os.X_OK):
            return {}
        span = ("--stats", "-s", self._begin, "-e", end, "-p", files)
        said = programs.run("pg_waldump", *span, user=None).stdout
        total = re.search(r"^Total +\d+ +(\d+) \[.*?\] +(\d+) \[", said, re.MULTILINE)
        assert total, said
        return {"wal_bytes": float(total[1]) + float(total[2]), "wal_record_bytes": float(total[1])}

    def _read(self) -> dict[str, float]:
        fsyncs = FSYNCS_FROM_18 if self._conn.info.server_version >= 180000 else FSYNCS
        self._conn.execute("SELECT pg_stat_force_next_flush()")
        cursor = self._conn.cursor(row_factory=psycopg.rows.dict_row)
        row: dict[str, Any] | None = cursor.execute(COUNTERS.format(fsyncs=fsyncs)).fetchone()
        assert row is not None
        cpu_s = family_cpu_s(self.place.postmaster)
        counted = {name: float(value) for name, value in row.items()}
        return counted if cpu_s is None else {**counted, "pg_cpu_s": cpu_s}

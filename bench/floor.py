"""The floors: the least writes of workload W, one commit each, with nothing around them."""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import subprocess
from pathlib import Path
from typing import Any

from bench.agents import PROSE, WRITES, found
from bench.meter import Meter
from bench.place import Place

DATABASE = "floor"
TABLES = """
CREATE TABLE IF NOT EXISTS floor_step (
    execution_id bigint, step integer, body jsonb, PRIMARY KEY (execution_id, step));
CREATE TABLE IF NOT EXISTS floor_tool_log (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, execution_id bigint, body jsonb);
TRUNCATE floor_step, floor_tool_log
"""
LOG = "INSERT INTO floor_tool_log (execution_id, body) VALUES ({id}, {body})"
STEP = "INSERT INTO floor_step (execution_id, step, body) VALUES ({id}, {step}, {body})"


def prepare(place: Place) -> None:
    """Make the floors' own database, empty."""
    with place.server.connect_as_admin() as conn:
        known = conn.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
        if not known:
            conn.execute(f"CREATE DATABASE {DATABASE}")
    with place.server.connect_as_admin(database=DATABASE) as conn:
        conn.execute(TABLES)


def statements() -> list[tuple[str, str]]:
    """Return the durable writes of one execution in order: SQL with {id}, {step}, {body}; body."""
    said = json.dumps({"role": "assistant", "content": PROSE, "tool": {"name": "lookup"}})
    heard = json.dumps(found(0))
    outcome = f"WITH step AS ({STEP}) {LOG}"
    return [(outcome, heard) if step % 2 else (STEP, said) for step in range(WRITES)]


def pgbench(place: Place, *, seconds: int, clients: int = 16) -> dict[str, Any] | None:
    """Let pgbench do them; None where there is no pgbench."""
    program = _pgbench_of(place)
    if program is None:
        return None
    prepare(place)
    script = place.folder / "floor.sql"
    lines = ["\\set id random(1, 9000000000000000)"]
    for step, (sql, body) in enumerate(statements()):
        lines.append(f"{sql};".format(id=":id", step=step, body=f"'{body}'"))
    script.write_text("\n".join(lines))
    command: list[str | Path] = [program, "-n", "-M", "prepared", "-f", script, "-T", str(seconds)]
    command += ["-c", str(clients), "-j", "2", "-h", str(place.server.socket_folder)]
    command += ["-U", "postgres_admin", DATABASE]
    meter, before = Meter(place, DATABASE), _children_cpu_s()
    done = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    client_cpu_s, counted = _children_cpu_s() - before, meter.stop()
    rate = re.search(r"tps = ([\d.]+)", done)
    count = re.search(r"actually processed: (\d+)", done)
    assert rate, done
    assert count, done
    return figures(
        counted,
        executions=int(count[1]),
        executions_per_s=float(rate[1]),
        client_cpu_s=client_cpu_s,
    )


def psycopg(place: Place, *, executions: int, connections: int = 32) -> dict[str, Any]:
    """Let one asynchronous Python process do them, on so many connections."""
    prepare(place)
    arguments = ("--executions", str(executions), "--connections", str(connections))
    with place.start("-m", "bench.floor_process", *arguments) as child:
        assert child.line() == "ready\n"
        meter = Meter(place, DATABASE)
        child.go()
        report = json.loads(child.line())
    return figures(
        meter.stop(),
        executions=executions,
        executions_per_s=executions / report["seconds"],
        client_cpu_s=report["cpu_s"],
    )


def figures(
    counted: dict[str, float], *, executions: int, executions_per_s: float, client_cpu_s: float
) -> dict[str, Any]:
    writes = executions * WRITES
    return {
        "executions_per_s": executions_per_s,
        "writes_per_s": executions_per_s * WRITES,
        "commits_per_write": counted["commits"] / writes,
        "fsyncs_per_write": counted["fsyncs"] / writes,
        "wal_bytes_per_write": counted["wal_bytes"] / writes,
        "wal_record_bytes_per_write": counted.get("wal_record_bytes", float("nan")) / writes,
        "client_cpu_s": 1000 * client_cpu_s / writes,
        "pg_cpu_s": 1000 * counted.get("pg_cpu_s", float("nan")) / writes,
    }


def _pgbench_of(place: Place) -> Path | None:
    beside = place.server.programs.folder / "pgbench"
    if os.access(beside, os.X_OK):
        return beside
    elsewhere = shutil.which("pgbench")
    return Path(elsewhere) if elsewhere else None


def _children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime

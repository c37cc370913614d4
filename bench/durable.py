"""Workload W: the whole engine with an LLM that costs nothing. What does durability cost?"""

from __future__ import annotations

import contextlib
import json
from typing import Any

from django.db import connection, transaction

from agentops.accounts.models import User
from bench.agents import WRITES
from bench.meter import Meter
from bench.place import Place
from executions import operations

# What `launch` stores, for many at once: launching is measured elsewhere.
COPIES = """
INSERT INTO agent_executions (
    user_id, launched_by, agent_type, input_data, limits, definition_id, lease_owner)
SELECT user_id, launched_by, agent_type, input_data, limits, definition_id, NULL
FROM agent_executions, generate_series(2, %s) WHERE id = %s
RETURNING id
"""
CHECK = """
SELECT count(*) FILTER (WHERE e.status = 'completed' AND e.step_count = %(steps)s
        AND (SELECT count(*) FROM agent_steps s WHERE s.execution_id = e.id) = %(steps)s
        AND (SELECT count(*) FROM agent_tool_calls c
             WHERE c.execution_id = e.id AND c.status = 'succeeded') = %(steps)s - 1),
    extract(epoch FROM max(e.completed_at))
FROM agent_executions e WHERE e.id = ANY(%(ids)s)
"""


def measure(
    place: Place,
    *,
    agent: str,
    executions: int,
    processes: int,
    capacity: int,
    profile: str | None = None,
) -> dict[str, Any]:
    """Drive `executions` of workload W to their end by `processes` runners; return the figures.

    Raises AssertionError unless every execution completed with all its steps and outcomes.
    """
    arguments = ["-m", "bench.runner_process", "--capacity", str(capacity)]
    arguments += ["--profile", profile] if profile else []
    with contextlib.ExitStack() as stack:
        runners = [stack.enter_context(place.start(*arguments)) for _ in range(processes)]
        for runner in runners:
            assert runner.line() == "ready\n"
        ids = launch_many(agent, executions, {})
        tidy()
        meter = Meter(place)
        for runner in runners:
            runner.go()
        reports = [json.loads(runner.line()) for runner in runners]
    counted = meter.stop()
    return figures(reports, counted, executions=executions, ended_at=finished_at(ids))


def launch_many(agent: str, count: int, input_data: dict[str, Any]) -> list[Any]:
    """Store `count` pending executions in one transaction; return their ids."""
    system = User.objects.get(username="system")
    with transaction.atomic(), connection.cursor() as cursor:
        launched = operations.launch(agent_type=agent, input_data=input_data, user=system)
        first = launched.execution.pk
        cursor.execute(COPIES, [count, first])
        return [first, *(row[0] for row in cursor.fetchall())]


def tidy() -> None:
    """Begin with fresh statistics, so that autovacuum does not fall into the middle."""
    with connection.cursor() as cursor:
        for table in ("agent_executions", "agent_steps", "agent_tool_calls", "agent_audit"):
            cursor.execute(f"VACUUM ANALYZE {table}")


def finished_at(ids: list[Any]) -> float:
    """Return when the last one completed (seconds since 1970), having checked every one."""
    with connection.cursor() as cursor:
        cursor.execute(CHECK, {"ids": ids, "steps": (WRITES + 1) // 2})
        right, ended_at = cursor.fetchone()
    assert right == len(ids), f"{right} of {len(ids)} executions ended as they should"
    return float(ended_at)


def figures(
    reports: list[dict[str, Any]], counted: dict[str, float], *, executions: int, ended_at: float
) -> dict[str, Any]:
    """Return rates, and costs per durable write or per 1000 of them."""
    writes = executions * WRITES
    seconds = ended_at - min(report["first_at"] for report in reports if report["first_at"])
    # a claim and an end change the status, which is indexed
    quiet_updates = counted["execution_updates"] - 2 * executions
    batches = sum(report["batches"] for report in reports)
    return {
        "executions_per_s": executions / seconds,
        "writes_per_s": writes / seconds,
        "commits_per_write": counted["commits"] / writes,
        "batches_per_write": batches / writes,
        "entries_per_batch": sum(report["durable_writes"] for report in reports) / batches,
        "fsyncs_per_write": counted["fsyncs"] / writes,
        "wal_bytes_per_write": counted["wal_bytes"] / writes,
        "wal_record_bytes_per_write": counted.get("wal_record_bytes", float("nan")) / writes,
        "hot_percent_executions": 100 * counted["execution_hot"] / quiet_updates,
        "hot_percent_calls": 100 * counted["call_hot"] / counted["call_updates"],
        "client_cpu_s": 1000 * sum(report["cpu_s"] for report in reports) / writes,
        "pg_cpu_s": 1000 * counted.get("pg_cpu_s", float("nan")) / writes,
        "peak_mb": sum(report["peak_mb"] or 0 for report in reports),
    }

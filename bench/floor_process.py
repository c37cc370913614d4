"""Workload W in plain psycopg, one commit a write: what Python without shared commits can reach."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Iterator

import django

django.setup()

import psycopg  # noqa: E402

from bench import floor  # noqa: E402 - needs Django set up
from executions.engine.connections import Connection, parameters  # noqa: E402


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--executions", type=int, required=True)
    options.add_argument("--connections", type=int, required=True)
    given = options.parse_args()
    asyncio.run(run(given.executions, given.connections))


async def run(executions: int, connections: int) -> None:
    conns: list[Connection] = [
        await psycopg.AsyncConnection.connect(
            **{**parameters(), "dbname": floor.DATABASE, "user": "postgres_admin"},
            autocommit=True,
            prepare_threshold=0,
        )
        for _ in range(min(connections, executions))
    ]
    print("ready", flush=True)
    sys.stdin.readline()
    began, cpu = time.perf_counter(), time.process_time()
    ids = iter(range(1, executions + 1))
    await asyncio.gather(*(lane(conn, ids) for conn in conns))
    report = {"seconds": time.perf_counter() - began, "cpu_s": time.process_time() - cpu}
    print(json.dumps(report), flush=True)


async def lane(conn: Connection, ids: Iterator[int]) -> None:
    """Do one execution after the other."""
    writes = [
        (sql.format(id="%(id)s", step="%(step)s", body="%(body)s"), body)
        for sql, body in floor.statements()
    ]
    for id in ids:
        for step, (sql, body) in enumerate(writes):
            await conn.execute(sql, {"id": id, "step": step, "body": body})


if __name__ == "__main__":
    main()

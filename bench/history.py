"""A database with a long history: any number of executions with all their rows, filled by SQL.

Everything in it passes every check of the invariants; a test says so on a small one.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from agentops.accounts.models import User
from bench.place import Place
from executions.agents import get_agent
from executions.core import limits as limit_rules
from executions.engine.definitions import define
from executions.models import AgentDefinition

SQL = Path(__file__).with_suffix(".sql")
AGENT = "compliance_document_generator"
CHUNK = 20_000
LEAST_FREE_BYTES = 12_000  # per execution, WAL and temporary files included
# What is filled once and then read need not survive a crash of the machine.
QUICKLY = ("fsync", "full_page_writes", "synchronous_commit", "autovacuum")


def check_room(place: Place, executions: int) -> None:
    """Leave unless the disk has room for so many."""
    if shutil.disk_usage(place.server.base).free < executions * LEAST_FREE_BYTES:
        raise SystemExit(
            f"{executions:,} executions need about {executions * 10_000:,} bytes of disk"
        )


def fill_quickly(conn: psycopg.Connection, *, executions: int, unfinished: int) -> None:
    """Fill the administrator's `conn`, saying how far it is, and leave it vacuumed and analysed."""
    with _quickly(conn):
        size = {"unfinished": unfinished, "recent": executions // 50}
        for number in fill(conn, executions=executions, **size):
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
    conn.execute("RESET session_replication_role")
    for name in QUICKLY:
        conn.execute(f"ALTER SYSTEM RESET {name}")
    conn.execute("SELECT pg_reload_conf()")


def fill(
    conn: psycopg.Connection, *, executions: int, unfinished: int, recent: int, chunk: int = CHUNK
) -> Iterator[int]:
    """Write so many executions, of which so many wait and ended today; yield how many stand.

    Each chunk is a transaction of `conn`, on which no trigger may fire meanwhile.
    """
    agent = get_agent(AGENT)
    definition = define(agent)
    AgentDefinition.objects.get_or_create(
        sha256=definition.sha256, defaults={"agent_type": agent.name, "body": definition.body}
    )
    values = {
        "all": executions,
        "open": unfinished,
        "recent": recent,
        "agent": agent.name,
        "definition": definition.sha256,
        "limits": json.dumps(limit_rules.to_json(agent.limits)),
        "user": User.objects.get(username="system").pk,
        "reviewer": User.objects.get_or_create(username="rita")[0].pk,
    }
    statements = SQL.read_text()
    for first in range(1, executions + 1, chunk):
        last = min(first + chunk - 1, executions)
        with conn.transaction(), psycopg.ClientCursor(conn) as cursor:
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
            cursor.execute(statements, {**values, "first": first, "last": last})
        yield last

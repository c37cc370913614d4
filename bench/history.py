"""A database with a long history: any number of executions with all their rows, filled by SQL.

Everything in it passes every check of the invariants; a test says so on a small one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import psycopg

from agentops.accounts.models import User
from executions.agents import get_agent
from executions.core import limits as limit_rules
from executions.engine.definitions import define
from executions.models import AgentDefinition

SQL = Path(__file__).with_suffix(".sql")
AGENT = "compliance_document_generator"
CHUNK = 20_000


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

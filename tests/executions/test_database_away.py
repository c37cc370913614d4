"""The database loses a connection or is started again: nothing ends by it, the dead are found."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from uuid import uuid4

import psycopg
import pytest
from django.db import connection

from agentops.accounts.models import User
from executions import operations
from executions.engine.connections import Link, parameters
from executions.engine.leases import Lease, Undertaker
from executions.models import AgentReview, AgentRunner
from tests import factories
from tests.rehearsal_server import RehearsalServer
from tests.support.rehearsed_agent import REHEARSED, calls, text
from tests.support.standing_runner import standing_runner
from tests.support.waiting import wait_until

CHANGE = (
    "update_customer_record",
    {"customer_id": "C-1001", "changes": {"phone": "+31 10 555 9999"}, "reason": "They wrote."},
)


def rows(statement: str, *values: object) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        found: list[tuple[object, ...]] = cursor.fetchall()
        return found


def waiting_for_the_customers() -> list[tuple[object, ...]]:
    return rows(
        "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        " AND datname = current_database() AND query LIKE '%%tools_customer%%'"
    )


def test_a_look_before_the_start_that_loses_its_connection_is_repeated(
    llm: RehearsalServer, reviewers: list[User]
) -> None:
    """D2: `INTERNAL_ERROR` was the end of it."""
    with standing_runner(base_url=llm.base_url):
        execution = operations.launch(
            agent_type=REHEARSED.name,
            input_data={"rehearse": [calls(CHANGE), text()]},
            user=factories.system(),
        ).execution
        review = wait_until(AgentReview.objects.open().first, what="the review")
        with psycopg.connect(**parameters()) as blocker:
            blocker.execute("LOCK TABLE tools_customer IN ACCESS EXCLUSIVE MODE")
            operations.decide(
                review_id=review.pk, person=reviewers[0], approve=True,
                seen_digest=review.input_digest,
            )  # fmt: skip
            ((pid,),) = wait_until(waiting_for_the_customers, what="the look at the customer")
            assert rows("SELECT pg_terminate_backend(%s)", pid) == [(True,)]
            wait_until(lambda: not waiting_for_the_customers(), what="the end of that backend")

        wait_until(lambda: factories.fresh(execution).is_final, what="the end")

    assert execution.status == "completed", execution.error
    assert execution.tool_calls.get().status == "succeeded"


def runner_of_before_the_restart(pid: int) -> AgentRunner:
    """A runner whose lease holds, and whose lock went with a PostgreSQL that was restarted."""
    ((id,),) = rows(
        "INSERT INTO agent_runners (host, pid, capacity, lease_until, started_at)"
        " VALUES (%s, %s, 1, now() + interval '1 hour',"
        " pg_postmaster_start_time() - interval '1 s') RETURNING id",
        socket.gethostname(),
        pid,
    )
    return AgentRunner.objects.get(pk=id)


async def bury(times: int) -> list[int]:
    conn = Link(name="a test")
    looks_of = Undertaker(Lease(uuid4(), 0, 15))
    buried = [await looks_of.bury(conn) for _ in range(times)]
    await conn.close()
    return buried


@pytest.fixture
def restarted_a_while_ago(committed_db: None) -> None:
    up = "SELECT clock_timestamp() > pg_postmaster_start_time() + interval '4 seconds'"
    wait_until(lambda: rows(up) == [(True,)], what="a server that is up for four seconds")


def test_a_process_that_is_gone_is_seen_although_postgresql_was_restarted(
    restarted_a_while_ago: None,
) -> None:
    """D1: its executions would have waited for the end of its lease."""
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    runner = runner_of_before_the_restart(gone.pid)

    assert asyncio.run(bury(1)) == [1]
    runner.refresh_from_db()
    assert runner.dead_at


def test_a_living_process_is_not_taken_for_dead_after_a_restart(
    restarted_a_while_ago: None,
) -> None:
    """D1: it may not have taken its lock again yet; its lease tells."""
    runner_of_before_the_restart(os.getpid())

    assert asyncio.run(bury(3)) == [0, 0, 0]

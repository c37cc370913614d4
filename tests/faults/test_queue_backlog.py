"""Ten thousand wait: the urgent first, then the oldest, resumed or new, and quickly."""

from __future__ import annotations

import asyncio
import time
from uuid import UUID

import pytest
from django.db import connection

from executions import __version__
from executions.engine import leases
from executions.engine.connections import Link, connect
from executions.engine.leases import CLAIM_PENDING
from executions.engine.switches import Switches
from executions.metrics import backlog
from executions.models import AgentExecution
from tests import factories
from tests.executions.stories import standing_runner

BACKLOG = 10_000
ROOM = 100
QUICK_MS = 50
OLDEST_S = 3600

FILL = """
INSERT INTO agent_executions (user_id, agent_type, input_data, created_at, updated_at, priority)
SELECT %s, 'noter', '{}', since, since, CASE WHEN n %% 1000 = 0 THEN 5 ELSE 0 END
FROM generate_series(1, %s) n,
    LATERAL (SELECT now() - make_interval(secs => %s * n / %s)) AS s(since)
"""


@pytest.fixture
def full(committed_db: None) -> None:
    """A backlog whose newest come first; one in a thousand is urgent."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE agent_executions DISABLE TRIGGER USER")
        cursor.execute(FILL, [factories.system().pk, BACKLOG, OLDEST_S + 1, BACKLOG])
        cursor.execute("ALTER TABLE agent_executions ENABLE TRIGGER USER")
        cursor.execute("ANALYZE agent_executions")


async def _claimed(room: int) -> list[UUID]:
    watch, conn = await connect(name="test lease"), Link(name="test")
    lease = await leases.register(watch, capacity=room, version=__version__, lease_s=60)
    try:
        return await leases.claim(conn, lease, room=room, switches=Switches())
    finally:
        await watch.close()
        await conn.close()


def claim(room: int) -> set[UUID]:
    return set(asyncio.run(_claimed(room)))


def test_the_urgent_come_first_and_then_the_oldest(full: None) -> None:
    """Q7: a resumed execution keeps the place of its launch, so no new start overtakes it."""
    waiting = AgentExecution.objects.filter(status="pending")
    urgent = set(waiting.filter(priority=5).values_list("pk", flat=True))
    resumed = waiting.filter(priority=0).order_by("created_at")[0]
    assert len(urgent) == BACKLOG // 1000
    for number in range(3):
        factories.execution(agent_type=f"new {number}")
    rest = ROOM - len(urgent)
    oldest = waiting.filter(priority=0).order_by("created_at").values_list("pk", flat=True)[:rest]
    expected = urgent | set(oldest)

    first = claim(ROOM)

    assert first == expected
    assert resumed.pk in first
    assert not AgentExecution.objects.filter(pk__in=first, agent_type__startswith="new").exists()


def test_the_age_of_the_oldest_is_told(full: None) -> None:
    """Q7: what waits for a back-off or for people does not count."""
    factories.change(
        AgentExecution.objects.order_by("-created_at")[0], wake_at="2100-01-01T00:00:00Z"
    )
    now = backlog()
    assert now.claimable == BACKLOG - 1
    assert OLDEST_S <= (now.oldest_ms or 0) / 1000 < OLDEST_S + 60
    claim(ROOM)
    later = backlog()
    assert later.claimable == BACKLOG - 1 - ROOM
    assert (later.oldest_ms or 0) < (now.oldest_ms or 0)


def test_a_claim_stays_quick(full: None) -> None:
    """Q7: it reads what it takes from the index, not the whole backlog."""
    with connection.cursor() as cursor:
        values = {"room": ROOM, "runner": standing_runner().pk, **Switches().for_claim()}
        cursor.execute(f"EXPLAIN {CLAIM_PENDING}", values)
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "executions_claimable" in plan
    assert "Sort" not in plan
    times = []
    for _ in range(5):
        began = time.monotonic()
        with connection.cursor() as cursor:
            cursor.execute(CLAIM_PENDING, values)
            assert len(cursor.fetchall()) == ROOM
        times.append((time.monotonic() - began) * 1000)
    assert min(times) < QUICK_MS, times

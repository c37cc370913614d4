"""Too little CPU for everybody: leases hold, and nobody is forgotten in the queue."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.db import connection

from executions.models import AgentExecution, AgentRunner
from tests.journeys.conftest import World, check_invariants, launch
from tests.support.effort import Effort
from tests.support.rehearsed_agent import READ, REHEARSED, calls, text
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.processes, pytest.mark.slow]

CAPACITY, WORKERS = 10, 2
BUSY = "while True: pass"
# In the order of the launches: how many others were claimed before each first claim, at most.
CLAIMED_OUT_OF_TURN = """
SELECT max(abs(claimed - launched)) FROM (
    SELECT row_number() OVER (ORDER BY e.created_at) AS launched,
        row_number() OVER (ORDER BY a.at) AS claimed
    FROM agent_executions e JOIN agent_audit a ON a.execution_id = e.id AND a.seq = 2) ranks
"""


def test_starved_workers_lose_no_lease_and_take_everybody_in_turn(
    world: World, tmp_path: Path, effort: Effort
) -> None:
    """O2: two workers, and as many busy processes as there are cores beside them."""
    count = effort.times(short=60, long=200)
    for _ in range(WORKERS):
        world.cluster(AGENTOPS_RUNNER_CAPACITY=str(CAPACITY))
    busy = [world.start("-c", BUSY) for _ in range(os.cpu_count() or 1)]
    for _ in range(count):
        launch(REHEARSED.name, rehearse=[calls(READ), text()])
    left = AgentExecution.objects.unfinished()
    wait_until(lambda: not left.exists(), within_s=120, what="the end of all")

    assert [process.returncode() for process in busy] == [None] * len(busy), "nobody was starved"
    assert AgentExecution.objects.filter(status="completed", attempts=0).count() == count
    assert set(AgentExecution.objects.values_list("lease_token", flat=True)) == {1}
    assert AgentRunner.objects.filter(dead_at=None).count() == WORKERS
    with connection.cursor() as cursor:
        cursor.execute(CLAIMED_OUT_OF_TURN)
        (furthest,) = cursor.fetchone()
    assert furthest <= WORKERS * CAPACITY
    check_invariants(tmp_path, world)

"""Tickets stay few: launches in any number ring, and runners sweep the doorbells away."""

from __future__ import annotations

import time

import pytest
from django.db import connection

from agentops.accounts.models import User
from executions import operations
from executions.models import AgentExecution
from tests.faults.checking import nothing_is_violated
from tests.faults.releasing import Sites
from tests.support.effort import Effort
from tests.support.noting import AGENT
from tests.support.rehearsed_agent import text
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.processes, pytest.mark.slow]

A_SECOND = 50
MOST = 200  # four seconds of launches; without the sweep it is all of them
READY = "SELECT count(*) FROM django_q_ormq WHERE lock <= clock_timestamp()"


def ready_tickets() -> int:
    with connection.cursor() as cursor:
        cursor.execute(READY)
        return int(cursor.fetchone()[0])


def test_tickets_stay_few_while_fifty_are_launched_each_second(
    sites: Sites, effort: Effort
) -> None:
    """Q7: launches ring faster than anybody answers, and the ready tickets stay bounded."""
    seconds = effort.times(short=4, long=600)
    sites.agents()
    system = User.objects.get(username="system")
    began, launched, most = time.monotonic(), 0, 0

    def launched_all() -> bool:
        nonlocal launched, most
        due = min(int((time.monotonic() - began) * A_SECOND), seconds * A_SECOND)
        for _ in range(due - launched):
            operations.launch(agent_type=AGENT, input_data={"rehearse": [text()]}, user=system)
        launched = max(launched, due)
        most = max(most, ready_tickets())
        return launched == seconds * A_SECOND

    wait_until(launched_all, within_s=seconds * 3, what="all launches")
    took = time.monotonic() - began
    wait_until(
        lambda: not AgentExecution.objects.unfinished().exists(), within_s=120, what="their end"
    )

    print(f"{launched} launches in {took:.0f} s, at most {most} ready tickets")  # noqa: T201
    assert most < MOST
    assert ready_tickets() <= 1
    assert AgentExecution.objects.filter(status="completed").count() == launched
    nothing_is_violated()

"""A worker's host has the wrong time, or its clock jumps: only the database's clock counts."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db.models import F

from executions.models import AgentExecution, AgentRunner, AgentStep, AgentToolCall
from tests.faults.checking import nothing_is_violated
from tests.faults.deploying import launch
from tests.faults.releasing import Sites, ended
from tests.rehearsal_server import RehearsalServer
from tests.support.rehearsed_agent import calls, text
from tests.support.waiting import wait_until
from tests.support.wrong_clock import FILE

pytestmark = [pytest.mark.processes, pytest.mark.slow]

TEN_MINUTES = 600
COUNT = 12
STEPS = [calls(("find_customers", {"name": f"Name {n}"})) for n in range(5)]


def test_a_worker_whose_clock_is_wrong_and_jumps_back_loses_and_steals_nothing(
    sites: Sites, rehearsal: RehearsalServer, tmp_path: Path
) -> None:
    """K1: born ten minutes ahead, it jumps to ten minutes behind in the middle of a lease."""
    clock = tmp_path / "ahead"
    clock.write_text(str(TEN_MINUTES))
    rehearsal.add_faults([{"fault": "delay", "delay_s": 0.5, "times": 1000, "match": {}}])
    honest = sites.agents(AGENTOPS_RUNNER_CAPACITY="4")
    wrong = sites.agents(AGENTOPS_RUNNER_CAPACITY="4", **{FILE: str(clock)})
    executions = [launch(*STEPS[:3], text()) for _ in range(COUNT)]
    both = AgentExecution.objects.filter(status="running").values("lease_owner").distinct()
    wait_until(lambda: both.count() == 2, within_s=30, what="both clusters at work")

    clock.write_text(str(-TEN_MINUTES))
    ended(executions)

    assert {one.status for one in executions} == {"completed"}
    assert {one.lease_token for one in executions} == {1}, "a lease was taken over"
    assert not AgentRunner.objects.exclude(dead_at=None).exists()
    assert honest.returncode() is wrong.returncode() is None
    assert not AgentStep.objects.filter(latency_ms__lt=0).exists()
    assert not AgentToolCall.objects.filter(latency_ms__lt=0).exists()
    assert not AgentExecution.objects.filter(completed_at__lt=F("created_at")).exists()
    assert not AgentExecution.objects.filter(active_ms__gt=TEN_MINUTES * 1000 // 2).exists()
    nothing_is_violated()

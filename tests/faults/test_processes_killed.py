"""kill -9 of each kind of process of a cluster, and two clusters at work at once."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psutil
import pytest

from executions.models import AgentExecution, AgentRunner
from tests.journeys.conftest import World, check_invariants, launch
from tests.soak.family import Family, Member, Service
from tests.support.effort import Effort
from tests.support.rehearsed_agent import READ, REHEARSED, calls, text
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.processes, pytest.mark.slow]

GONE_WITHIN_S = 8.0
STAND_WITHIN_S = 40.0
END_WITHIN_S = 60.0
AT_ONCE = 6


@pytest.fixture
def family(processes: World, process_env: dict[str, str], tmp_path: Path) -> Iterator[Family]:
    """Two agents clusters that are started again when they end."""
    variables = {**process_env, **processes.variables}
    variables |= {"Q_CLUSTER_NAME": "agents", "AGENTOPS_AGENT_WORKERS": "1"}
    variables |= {"AGENTOPS_RUNNER_CAPACITY": str(AT_ONCE)}
    clusters = Family(tmp_path / "clusters")
    for name in ("one", "two"):
        clusters.start(Service(name, ("manage.py", "qcluster"), variables, workers=1))
    yield clusters
    clusters.stop()


def standing(family: Family) -> list[Member]:
    """Return the workers whose runners stand, once there is one in each cluster."""

    def both() -> list[Member]:
        pids = set(AgentRunner.objects.filter(dead_at=None).values_list("pid", flat=True))
        workers = [one for one in family.members() if one.role == "worker"]
        found = [one for one in workers if one.process.pid in pids]
        return found if {one.service for one in found} == {"one", "two"} else []

    return wait_until(both, within_s=STAND_WITHIN_S, what="a runner in each cluster")


def held_by(worker: Member) -> int:
    runners = AgentRunner.objects.filter(pid=worker.process.pid, dead_at=None)
    running = AgentExecution.objects.filter(status="running")
    return running.filter(lease_owner__in=runners.values("pk")).count()


def put_to_work(processes: World, workers: list[Member], word: str) -> list[AgentExecution]:
    """Launch as many as both runners can hold, and wait until they wait for the LLM."""
    count = AT_ONCE * len(workers)
    fault = {"fault": "delay", "delay_s": 3, "times": count, "match": {"contains": word}}
    processes.llm.clear_faults()
    processes.llm.add_faults([fault])
    script = [calls(READ), text(word)]
    launched = [launch(REHEARSED.name, rehearse=script) for _ in range(count)]
    wait_until(lambda: processes.llm.fired() == [count], within_s=30, what="the LLM calls")
    return launched


def all_ended(executions: list[AgentExecution]) -> bool:
    ids = [one.pk for one in executions]
    return not AgentExecution.objects.unfinished().filter(pk__in=ids).exists()


def test_whatever_process_dies_its_cluster_ends_whole_and_the_work_goes_on_elsewhere(
    processes: World, family: Family, effort: Effort, tmp_path: Path
) -> None:
    """A4, M4: sentinel, pusher, monitor and main; nothing is left to work on unguarded."""
    everything: list[AgentExecution] = []
    roles = ("pusher", "main", "monitor", "sentinel")[: effort.times(short=2, long=4)]
    for number, role in enumerate(roles):
        workers = standing(family)
        launched = put_to_work(processes, workers, f"round {number}")
        everything += launched
        victim = workers[number % 2].service
        held = held_by(next(one for one in workers if one.service == victim))
        cluster = [one for one in family.members() if one.service == victim]

        next(one for one in cluster if one.role == role).process.kill()

        _, left = psutil.wait_procs([one.process for one in cluster], timeout=GONE_WITHIN_S)
        assert not left, f"after the death of {role} these live on: {left}"
        assert held == AT_ONCE
        wait_until(partial(all_ended, launched), within_s=END_WITHIN_S, what=f"the end, {role}")
    assert family.restarts.total() == len(roles)
    for execution in everything:
        execution.refresh_from_db()
        assert execution.status == "completed", execution.error
        assert execution.step_count == execution.steps.count() == 2
    check_invariants(tmp_path, processes)


def test_two_clusters_share_the_work_and_never_an_execution(
    processes: World, family: Family, tmp_path: Path
) -> None:
    """A5: each LLM request is made once, by whichever cluster has the execution."""
    workers = standing(family)

    launched = put_to_work(processes, workers, "shared")

    assert [held_by(worker) for worker in workers] == [AT_ONCE, AT_ONCE]
    wait_until(partial(all_ended, launched), within_s=END_WITHIN_S, what="the end")
    assert len(processes.llm.log("shared")) == 2 * len(launched)
    for execution in launched:
        execution.refresh_from_db()
        assert execution.status == "completed", execution.error
    check_invariants(tmp_path, processes)

"""Real clusters of a test, each with a runner that stands."""

from __future__ import annotations

from collections.abc import Callable

from executions.models import AgentRunner
from tests.support.processes import ChildProcess
from tests.support.waiting import wait_until

Start = Callable[..., ChildProcess]
BORN_S = 40


def agents_cluster(start: Start, **variables: str) -> ChildProcess:
    """Start an agents cluster of one worker and wait until a runner stands in it."""
    return _standing(start, Q_CLUSTER_NAME="agents", AGENTOPS_AGENT_WORKERS="1", **variables)


def housekeeping_cluster(start: Start, **variables: str) -> ChildProcess:
    """Start the cluster that does what is scheduled; its runner is the solo one."""
    return _standing(start, **variables)


def _standing(start: Start, **variables: str) -> ChildProcess:
    before = set(AgentRunner.objects.values_list("pk", flat=True))
    child = start("manage.py", "qcluster", **variables)
    new = AgentRunner.objects.exclude(pk__in=before).filter(dead_at=None)
    try:
        wait_until(new.exists, within_s=BORN_S, what="a standing runner")
    except AssertionError as error:
        raise AssertionError(f"{error}; the cluster said {child.log()[-2000:]}") from None
    return child

"""One execution that kills whatever drives it, among many that do not."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from executions.models import AgentExecution
from tests.journeys.conftest import World, check_invariants, launch
from tests.support.deadly_agent import DEADLY
from tests.support.effort import Effort
from tests.support.processes import ChildProcess
from tests.support.rehearsed_agent import REHEARSED, calls, text
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.processes, pytest.mark.slow]

ALONE = {
    "AGENTOPS_AGENT_MODULES": (
        "agentops.agents,tests.support.rehearsed_agent,tests.support.deadly_agent"
    ),
    "AGENTOPS_AGENT_WORKERS": "1",  # so that a cluster ends with each death
}


class Supervised:
    """Clusters that are started again when they end, as systemd would."""

    def __init__(self, world: World, *names: str) -> None:
        self.world = world
        self.running: dict[str, ChildProcess] = {name: self._start(name) for name in names}
        self.restarts: Counter[str] = Counter()

    def look(self) -> None:
        for name, child in self.running.items():
            if child.returncode() is not None:
                self.restarts[name] += 1
                self.running[name] = self._start(name)

    def _start(self, name: str) -> ChildProcess:
        queue = {"Q_CLUSTER_NAME": name} if name == "agents" else {}
        return self.world.start("manage.py", "qcluster", **self.world.variables, **ALONE, **queue)


@pytest.mark.parametrize(("names", "most"), [(("agents", "housekeeping"), 200), (("agents",), 60)])
def test_one_killer_is_found_and_fails_nobody_else(
    world: World, tmp_path: Path, effort: Effort, names: tuple[str, ...], most: int
) -> None:
    """A6: M1's poison, with and without a solo runner, in a crowd of more than a group."""
    count = effort.times(short=40, long=most)
    script = [calls(("find_customers", {"query": "x"})), text()]
    others = [launch(REHEARSED.name, rehearse=script) for _ in range(count // 2)]
    killer = launch(DEADLY.name, rehearse=[calls(("die", {"word": "now"})), text()])
    others += [launch(REHEARSED.name, rehearse=script) for _ in range(count // 2)]
    clusters = Supervised(world, *names)

    def all_ended() -> bool:
        clusters.look()
        return not AgentExecution.objects.unfinished().exists()

    wait_until(all_ended, within_s=180, what="all executions to end")

    killer.refresh_from_db()
    assert (killer.status, killer.stop_reason) == ("failed", "POISONED")
    # in the crowd, in a group, three alone; one more when its first step was committed before
    assert sum(clusters.restarts.values()) in (5, 6)
    ended = Counter(AgentExecution.objects.exclude(pk=killer.pk).values_list("status", flat=True))
    assert ended == {"completed": len(others)}
    check_invariants(tmp_path, world)

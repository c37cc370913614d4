"""A real agents cluster and the rehearsal server as processes, and their memory and CPU."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from agentops.accounts.models import User
from bench.agents import LOOP, script
from bench.place import Place
from bench.processes import Child, family_cpu_s, memory_mb, until
from executions import operations
from executions.models import AgentExecution, AgentRunner

START_S = 60


@dataclass(frozen=True)
class World:
    """What runs. `runners` are the process ids of the standing runners."""

    base_url: str
    server: Child
    postmaster: int
    runners: tuple[int, ...]
    idle_mb: float

    def peak_mb(self) -> float:
        """Return the runners' largest resident sizes, summed."""
        return sum(memory_mb(pid, "VmHWM") or 0.0 for pid in self.runners)

    def cpu_s(self) -> dict[str, float]:
        """Return the CPU seconds of all so far, by who used them."""
        return {
            "client_cpu_s": sum(family_cpu_s(pid) or 0.0 for pid in self.runners),
            "server_cpu_s": family_cpu_s(self.server.popen.pid) or 0.0,
            "postgres_cpu_s": family_cpu_s(self.postmaster) or 0.0,
        }


@contextlib.contextmanager
def open_world(place: Place, *, workers: int, latency_s: float) -> Iterator[World]:
    """Start both and wait until `workers` runners stand."""
    before = set(AgentRunner.objects.values_list("pk", flat=True))
    with rehearsal(place, latency_s=latency_s) as (server, base_url):
        cluster = place.start(
            "manage.py",
            "qcluster",
            Q_CLUSTER_NAME="agents",
            AGENTOPS_AGENT_WORKERS=str(workers),
            OPENAI_API_KEY="rehearsal",
            OPENAI_BASE_URL=base_url,
        )
        with cluster:
            standing = AgentRunner.objects.exclude(pk__in=before).filter(dead_at=None)
            what = f"{workers} standing runners; {cluster.log} may say why"
            until(lambda: standing.count() >= workers, within_s=START_S, what=what)
            _warm_up(workers)
            pids = tuple(standing.values_list("pid", flat=True))
            idle_mb = sum(memory_mb(pid, "VmRSS") or 0.0 for pid in pids)
            yield World(base_url, server, place.postmaster, pids, idle_mb)


def _warm_up(workers: int) -> None:
    """Let the runners import what only a first execution imports."""
    system = User.objects.get(username="system")
    for _ in range(4 * workers):
        launched = operations.launch(
            agent_type=LOOP.name, input_data={"rehearse": script(1)}, user=system
        )
        what = "a first execution"
        until(partial(_completed, launched.execution), within_s=START_S, what=what)


def _completed(execution: AgentExecution) -> bool:
    execution.refresh_from_db()
    return execution.status == "completed"


@contextlib.contextmanager
def rehearsal(place: Place, *, latency_s: float) -> Iterator[tuple[Child, str]]:
    """Start the rehearsal server; yield it with its address."""
    arguments = ("--port", "0", "--latency", str(latency_s))
    with place.start("-m", "agentops.rehearsal", *arguments) as server:
        line = server.line()
        yield server, line[line.index("http://") :].strip()

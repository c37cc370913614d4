"""Real clusters whose code is of different releases, on one database."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from executions.models import AgentExecution
from tests.rehearsal_server import RehearsalServer
from tests.support.clusters import Start, agents_cluster, housekeeping_cluster
from tests.support.noting import RULE
from tests.support.processes import ChildProcess
from tests.support.waiting import wait_until

MODULES = ("agentops.agents", "tests.support.rehearsed_agent", "tests.support.noting",
           "tests.support.wrong_clock")  # fmt: skip


class Sites:
    """Starts clusters that ask the rehearsal server and leave notes in one ledger."""

    def __init__(self, start: Start, llm: RehearsalServer, ledger: Path) -> None:
        self._start = start
        self.ledger = ledger
        self._variables = {
            "AGENTOPS_AGENT_MODULES": ",".join(MODULES),
            "OPENAI_API_KEY": "rehearsal",
            "OPENAI_BASE_URL": llm.base_url,
            "NOTE_LEDGER": str(ledger),
        }

    def agents(self, rule: str = "free", **variables: str) -> ChildProcess:
        """Start an agents cluster in whose code the noter's tool follows this rule."""
        return agents_cluster(self._start, **{**self._variables, RULE: rule, **variables})

    def housekeeping(self, **variables: str) -> ChildProcess:
        return housekeeping_cluster(self._start, **{**self._variables, **variables})


def ended(executions: Sequence[AgentExecution], *, within_s: float = 90) -> None:
    """Wait until all are final, and read them."""
    ids = [one.pk for one in executions]
    left = AgentExecution.objects.filter(pk__in=ids).unfinished()
    wait_until(lambda: not left.exists(), within_s=within_s, what="the end of all")
    for one in executions:
        one.refresh_from_db()

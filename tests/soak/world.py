"""What runs in a soak: PostgreSQL, two agents clusters, housekeeping, web, and the outside."""

from __future__ import annotations

import time
from pathlib import Path

from agentops.dev import services
from agentops.dev.ports import LOOPBACK, first_free
from bench.place import Place
from bench.processes import until
from executions.models import AgentRunner
from tests.soak.browser import Away, Browser
from tests.soak.family import Family, Service
from tests.soak.outside import Outside
from tests.soak.postgres import Postgres

START_S = 60.0
CLUSTERS = ("agents-1", "agents-2", "housekeeping")


class World:
    """Starts all of it. `site` is the web's address."""

    def __init__(self, place: Place, *, kept: Path, authority_port: int) -> None:
        self.place = place
        self.postgres = Postgres(place.server)
        self.family = Family(kept)
        llm_port, web_port = first_free([]), first_free([])
        self.outside = Outside(self.family, kept, llm_port=llm_port, authority_port=authority_port)
        self.site = f"http://{LOOPBACK}:{web_port}"
        self._variables = {
            "OPENAI_API_KEY": "rehearsal",
            "OPENAI_BASE_URL": f"{self.outside.llm_url}/v1",
            "EMAIL_URL": f"smtp://{LOOPBACK}:{self.outside.mail_port}",
        }
        for name in CLUSTERS:
            self._start_cluster(name)
        self.family.start(Service("web", services.web(port=web_port).arguments, self._variables))

    def _start_cluster(self, name: str) -> None:
        variables, workers = self._variables, 2
        if name.startswith("agents"):
            variables = {**variables, "Q_CLUSTER_NAME": "agents", "AGENTOPS_AGENT_WORKERS": "1"}
            workers = 1
        self.family.start(Service(name, ("manage.py", "qcluster"), variables, workers))

    def wait_until_it_stands(self) -> float:
        """Return the seconds until web answers and a runner stands in every cluster."""
        began = time.monotonic()
        standing = AgentRunner.objects.filter(dead_at=None)
        until(lambda: standing.count() >= len(CLUSTERS), within_s=START_S, what="a runner in each")
        until(self._web_answers, within_s=START_S, what="the web server")
        return time.monotonic() - began

    def _web_answers(self) -> bool:
        try:
            return Browser(self.site).get("/login/").status == 200
        except Away:
            return False

    def postmaster(self) -> int | None:
        """Return the server's process id, None while it is down."""
        try:
            return self.place.postmaster
        except (OSError, IndexError, ValueError):
            return None

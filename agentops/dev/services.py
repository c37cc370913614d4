"""Which processes make up AgentOps on one machine."""

from __future__ import annotations

import os
from collections.abc import Mapping

from django.core.management.base import CommandError

from agentops import environment
from agentops.dev import ports
from agentops.dev.child import Service
from agentops.dev.console import say
from agentops.environment import LOCAL_DIR

HELPERS, CLUSTERS, WEB = 1, 2, 3
"""Stages: the web stops first, then the clusters while what they talk to still answers."""

DEFAULT_PORT = 8000
REHEARSAL_PORT = 8001


def web_port() -> int:
    """AGENTOPS_PORT, which must be free, else 8000 or the next free one. Raises `CommandError`."""
    chosen = environment.whole_number("AGENTOPS_PORT", default=0, low=0, high=65_535)
    if not chosen:
        port = ports.first_free([DEFAULT_PORT, *range(8010, 8030)])
        if port != DEFAULT_PORT:
            say(f"  Port {DEFAULT_PORT} is taken; the web server takes {port}.")
        return port
    if not ports.is_free(chosen):
        raise CommandError(f"Port {chosen} (AGENTOPS_PORT) is taken on {ports.LOOPBACK}.")
    return chosen


def needs_rehearsal() -> bool:
    """Without a key, and without an LLM server of the user's own, ours plays the LLM's part."""
    return not (os.environ.get("OPENAI_API_KEY") or os.environ.get("OPENAI_BASE_URL"))


def rehearsal() -> tuple[Service, Mapping[str, str]]:
    """The rehearsal server, and what tells the others that it is their LLM."""
    port = ports.first_free([REHEARSAL_PORT, *range(8031, 8050)])
    service = Service(
        name="rehearsal",
        arguments=("-m", "agentops.rehearsal", "--port", str(port)),
        stage=HELPERS,
        port=port,
    )
    return service, {
        "OPENAI_API_KEY": "rehearsal",
        "OPENAI_BASE_URL": f"http://{ports.LOOPBACK}:{port}/v1",
        "AGENTOPS_REHEARSAL": "1",
    }


def regulator(*, port: int) -> Service:
    ledger = str(LOCAL_DIR / "regulator-ledger.jsonl")
    return Service(
        name="regulator",
        arguments=("-m", "agentops.sandbox.regulator", "--port", str(port), "--ledger", ledger),
        stage=HELPERS,
        port=port,
    )


def clusters() -> list[Service]:
    """Agents drain what they have in hand, an LLM request at most, before they stop."""
    housekeeping = Service(
        name="housekeeping",
        arguments=("manage.py", "qcluster"),
        stage=CLUSTERS,
        stop_within_s=20.0,
    )
    agents = Service(
        name="agents",
        arguments=("manage.py", "qcluster"),
        environment={"Q_CLUSTER_NAME": "agents"},
        stage=CLUSTERS,
        stop_within_s=45.0,
    )
    return [housekeeping, agents]


def web(*, port: int) -> Service:
    gunicorn = (
        *("-m", "gunicorn", "agentops.wsgi:application"),
        *("--bind", f"{ports.LOOPBACK}:{port}"),
        *("--worker-class", "gthread", "--workers", "2", "--threads", "8"),
        *("--graceful-timeout", "5", "--access-logfile", "-", "--no-control-socket"),
    )
    return Service(name="web", arguments=gunicorn, stage=WEB, port=port)

"""System checks: what would break a promise is refused at boot, with an id and a hint."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connection

from executions.agents import all_agents
from tools.registry import TOOLS

Apps = Sequence[AppConfig] | None
BROKER = "executions.engine.broker.PostgresBroker"
DRAIN_S = 35  # what a runner may take after its slice
RUNNER_CONNECTIONS = 3
CLUSTER_CONNECTIONS = 5  # main, sentinel, pusher with its listener, monitor
WEB_CONNECTIONS = 16


@register
def queue_commits_with_the_data(app_configs: Apps, **_: Any) -> list[CheckMessage]:
    """A ticket must commit or vanish with the row it rings for."""
    given = settings.Q_CLUSTER
    found: list[CheckMessage] = []
    if given.get("orm") != "default":
        found.append(
            Error(
                f"Q_CLUSTER['orm'] is {given.get('orm')!r}: tickets would not commit with data.",
                hint="Set it to 'default', the database of the executions.",
                id="executions.E001",
            )
        )
    if given.get("broker_class") != BROKER:
        found.append(
            Error(
                f"Q_CLUSTER['broker_class'] is {given.get('broker_class')!r}.",
                hint=f"Set it to {BROKER!r}: FIFO, woken by NOTIFY, in the same transaction.",
                id="executions.E002",
            )
        )
    return found


@register
def queue_times_fit_the_runner(app_configs: Apps, **_: Any) -> list[CheckMessage]:
    """django-q2 hands a task out again at `retry`: never while a runner may still live."""
    queue: dict[str, Any] = settings.Q_CLUSTER
    agents: dict[str, Any] = queue["ALT_CLUSTERS"]["agents"]
    least = settings.AGENTOPS_SLICE_S * 6 // 5 + DRAIN_S
    found: list[CheckMessage] = []
    for name, conf in (("agents", agents), ("housekeeping", queue)):
        if conf["retry"] <= conf["timeout"] + 3:
            found.append(
                Error(
                    f"The {name} cluster's retry ({conf['retry']} s) is not above its timeout"
                    f" ({conf['timeout']} s) by more than 3 s: one task could run twice at once.",
                    hint="retry > timeout + 3 + the longest wait in the local queue.",
                    id="executions.E003",
                )
            )
        if conf["queue_limit"] > max(conf["workers"], 1):
            found.append(
                Error(
                    f"The {name} cluster's queue_limit ({conf['queue_limit']}) is above its workers"
                    f" ({conf['workers']}): tasks would wait there while their retry time runs.",
                    hint="Set queue_limit to 1.",
                    id="executions.E004",
                )
            )
    if agents["timeout"] < least:
        found.append(
            Error(
                f"The agents cluster's timeout ({agents['timeout']} s) may kill a runner in its"
                f" slice and drain ({least} s).",
                hint="Raise the timeout or lower AGENTOPS_SLICE_S.",
                id="executions.E005",
            )
        )
    return found


@register
def cache_spans_processes(app_configs: Apps, **_: Any) -> list[CheckMessage]:
    """Clusters tell their state to the web through the cache."""
    backend = settings.CACHES["default"]["BACKEND"]
    if not backend.endswith(("LocMemCache", "DummyCache")):
        return []
    return [
        Error(
            f"The cache {backend} lives in one process: no cluster would ever be seen.",
            hint="Use django.core.cache.backends.db.DatabaseCache or Redis.",
            id="executions.E006",
        )
    ]


@register
def agents_name_known_tools(app_configs: Apps, **_: Any) -> list[CheckMessage]:
    return [
        Error(
            f"The agent {agent.name} names the tool {name!r}, which is not registered.",
            hint="tools/registry.py lists every tool.",
            id="executions.E007",
        )
        for agent in all_agents()
        for name in agent.tools
        if name not in TOOLS
    ]


@register
def sample_inputs_fit(app_configs: Apps, **_: Any) -> list[CheckMessage]:
    """`launch_agent --sample` and the launch form must work for every agent."""
    found: list[CheckMessage] = []
    for agent in all_agents():
        try:
            if agent.sample_input:
                agent.checked(agent.sample_input)
        except ValueError as error:
            found.append(
                checks.Warning(f"The sample input does not fit. {error}", id="executions.W001")
            )
    return found


@register(Tags.database)
def connections_suffice(
    app_configs: Apps, databases: Sequence[str] | None = None, **_: Any
) -> list[CheckMessage]:
    """Workers x (tool threads + 3) + clusters + web must fit the server's max_connections."""
    if not databases or "default" not in databases:
        return []
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('max_connections')::int")
        row = cursor.fetchone()
    most = row[0] if row else 0
    workers = settings.AGENTOPS_AGENT_WORKERS
    needed = workers * (settings.AGENTOPS_TOOL_THREADS + RUNNER_CONNECTIONS)
    needed += 2 * CLUSTER_CONNECTIONS + WEB_CONNECTIONS
    if needed <= most:
        return []
    return [
        Error(
            f"Up to {needed} database connections are needed, PostgreSQL allows {most}.",
            hint="Raise max_connections, or lower AGENTOPS_AGENT_WORKERS or AGENTOPS_TOOL_THREADS.",
            id="executions.E008",
        )
    ]

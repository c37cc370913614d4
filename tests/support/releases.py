"""Another release of the code in this process: other tools, other agents, other gates."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection, transaction

from executions import agents
from executions.agents import Agent
from executions.engine import definitions
from executions.models import AgentGatedTool
from tools.base import Tool
from tools.registry import ALWAYS_GATED, TOOLS


class Release:
    """What this process's code is from now on until the test ends."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._patch = patch

    def has_tool(self, tool: Tool) -> None:
        self._patch.setattr(definitions, "_made", {})  # another process would have none yet
        self._patch.setitem(TOOLS, tool.name, tool)

    def lost_tool(self, name: str) -> None:
        self._patch.delitem(TOOLS, name)

    def always_gates(self, name: str, votes: int = 1) -> None:
        self._patch.setitem(ALWAYS_GATED, name, votes)

    def has_agent(self, agent: Agent) -> None:
        self._patch.setitem(agents._agents, agent.name, agent)

    def lost_agent(self, name: str) -> None:
        self._patch.delitem(agents._agents, name)


@contextmanager
def gated_by_the_database(name: str, votes: int = 1) -> Iterator[None]:
    """The newer release's migrate has told the database that this tool is always gated.

    The database never opens a gate again; only a test switches that guard off, as their owner.
    """
    AgentGatedTool.objects.create(tool_name=name, least_votes=votes)
    try:
        yield
    finally:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("ALTER TABLE agent_gated_tools DISABLE TRIGGER USER")
            cursor.execute("DELETE FROM agent_gated_tools WHERE tool_name = %s", [name])
            cursor.execute("ALTER TABLE agent_gated_tools ENABLE TRIGGER USER")

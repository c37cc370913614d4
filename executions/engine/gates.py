"""How many people a tool needs at least: the floors of registry, database and launch.

While a deploy is under way the database may know of a gate that this, older, code does not.
"""

from __future__ import annotations

from executions.engine.connections import Link
from executions.engine.driven import Driven
from tools.base import Tool
from tools.registry import ALWAYS_GATED, TOOLS

GATED = "SELECT tool_name, least_votes FROM agent_gated_tools"

_told: dict[str, int] = {}


async def look(conn: Link) -> None:
    """Read the database's gates; a runner does each second."""
    cursor = await conn.execute(GATED)
    rows = dict(await cursor.fetchall())
    _told.clear()
    _told.update(rows)


def is_always_gated(tool_name: str) -> bool:
    return bool(_floor(tool_name))


def least_votes(one: Driven, tool_name: str) -> int:
    """Return the least number of votes for this execution; 0: the tool is not always gated.

    It keeps the gates of its launch and gets those that were closed since.
    """
    at_launch = one.definition.votes.get(tool_name, 0) if one.definition else 0
    return max(at_launch, _floor(tool_name))


def votes_of(one: Driven, tool_name: str) -> int:
    """Return how many must agree on a gated call; its tool may be gone by now."""
    tool: Tool | None = TOOLS.get(tool_name)
    return max(tool.approval.votes if tool else 1, least_votes(one, tool_name))


def _floor(tool_name: str) -> int:
    return max(ALWAYS_GATED.get(tool_name, 0), _told.get(tool_name, 0))

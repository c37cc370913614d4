"""The switches people pull, as a runner holds them: read when one changes, never per step."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from executions.engine.connections import Link

CHANNEL = "agentops_controls"

OFF = "SELECT scope, key, state, reason FROM agent_controls WHERE state <> 'on'"

# A person's switch stays as it is, and one that was lifted after the refused request had begun
# is not pulled again for it.
PAUSE_AGENT = """
INSERT INTO agent_controls AS c (scope, key, state, reason, changed_at)
VALUES ('agent', %(agent)s, 'paused', %(reason)s, clock_timestamp())
ON CONFLICT (scope, key) DO UPDATE SET
    state = excluded.state, reason = excluded.reason, changed_by = NULL,
    changed_at = excluded.changed_at
WHERE c.state = 'on'
  AND c.changed_at < clock_timestamp() - make_interval(secs => %(began_s_ago)s)
"""


@dataclass(frozen=True)
class Switch:
    """One that is off: `state` is paused or killed, or shut for a tool's circuit breaker, which
    lets one call through to probe: `except_call`."""

    scope: str
    key: str
    state: str
    reason: str
    except_call: UUID | None = None

    def __str__(self) -> str:
        return f"{self.scope} {self.key} is {self.state}: {self.reason}".replace("  ", " ")


class Switches:
    """Those that are off. One per runner; whoever does what a switch forbids asks here first."""

    def __init__(self) -> None:
        self._off: dict[tuple[str, str], Switch] = {}
        self._pausing = asyncio.Lock()

    async def read(self, conn: Link) -> None:
        """Read them anew."""
        rows: list[Any] = await (await conn.execute(OFF)).fetchall()
        self._off = {row[:2]: Switch(*row) for row in rows}

    def over(self, agent_type: str) -> Switch | None:
        """Return the switch by which this agent's executions may not go on, if any."""
        return self._off.get(("all", "")) or self._off.get(("agent", agent_type))

    def over_tool(self, tool_name: str) -> Switch | None:
        return self._off.get(("tool", tool_name))

    def for_claim(self) -> dict[str, Any]:
        """Return what a claim leaves alone: everything, or some agents."""
        agents = [key for scope, key in self._off if scope == "agent"]
        return {"all_off": ("all", "") in self._off, "agents_off": agents}

    async def pause(
        self, conn: Link, agent_type: str, *, reason: str, began_s_ago: float
    ) -> Switch | None:
        """Pause an agent in the system's name, because a request begun then was refused for good.

        Hundreds meet the same refusal at once; the first writes. None: it was lifted meanwhile.
        """
        async with self._pausing:
            if self.over(agent_type) is None:
                values = {"agent": agent_type, "reason": reason, "began_s_ago": began_s_ago}
                await conn.execute(PAUSE_AGENT, values, at="pause_agent")
                await self.read(conn)
        return self.over(agent_type)

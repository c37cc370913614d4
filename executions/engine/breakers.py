"""The tools' circuit breakers: rows that all runners share, and what this one knows of them.

A tool that works costs nothing here: its breaker has no row. What others wrote is read once per
tick, so a read may still start up to a second after another runner opened its tool's breaker;
a start is refused by its own transaction (`statements.SWITCHED_OFF`).
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from uuid import UUID

from executions.core import breaker as rule
from executions.core import storable
from executions.core.breaker import Breaker, Change, Verdict
from executions.engine.connections import Link

SPREAD_S = 3.0  # those who wait for the same moment do not all come at once

KNOWN = """
SELECT tool_name, failures, extract(epoch FROM open_until - clock_timestamp())::float8,
    probe_call, last_error FROM agent_breakers
"""
COUNT = """
INSERT INTO agent_breakers (tool_name, last_error) VALUES (%(tool)s, %(error)s)
ON CONFLICT (tool_name) DO UPDATE SET
    failures = agent_breakers.failures + 1, last_error = excluded.last_error
RETURNING failures
"""
OPEN = """
UPDATE agent_breakers SET probe_call = NULL, opened_at = coalesce(opened_at, clock_timestamp()),
    open_until = clock_timestamp() + make_interval(secs => %(seconds)s)
WHERE tool_name = %(tool)s AND (open_until IS NULL OR probe_call = %(call)s)
"""
PROBE = """
UPDATE agent_breakers SET probe_call = %(call)s,
    open_until = clock_timestamp() + make_interval(secs => %(seconds)s)
WHERE tool_name = %(tool)s AND open_until <= clock_timestamp()
"""
NEXT_PROBE = """
UPDATE agent_breakers SET probe_call = NULL, open_until = clock_timestamp()
WHERE tool_name = %(tool)s AND probe_call = %(call)s
"""
CLOSE = "DELETE FROM agent_breakers WHERE tool_name = %(tool)s"


@dataclass(frozen=True)
class Known:
    """One row as it was when last read; `until` on this process's monotonic clock."""

    failures: int
    until: float | None
    probe_call: UUID | None
    last_error: str

    def breaker(self) -> Breaker:
        shut_s = None if self.until is None else self.until - time.monotonic()
        is_probed = self.probe_call is not None
        return Breaker(failures=self.failures, shut_s=shut_s, is_probed=is_probed)


class ToolShut(Exception):
    """The tool's breaker is open; try again in `wait_s` seconds."""

    def __init__(self, reason: str, *, wait_s: float) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


class Breakers:
    """One per runner."""

    def __init__(self, conn: Link) -> None:
        self._conn = conn
        self._known: dict[str, Known] = {}

    async def refresh(self) -> None:
        """Read what all runners know."""
        cursor = await self._conn.execute(KNOWN)
        now = time.monotonic()
        self._known = {
            tool: Known(failures, None if shut_s is None else now + shut_s, probe, error)
            for tool, failures, shut_s, probe, error in await cursor.fetchall()
        }

    async def admit(self, tool: str, call: UUID) -> bool:
        """Let a call through, or raise ToolShut. True: it is the probe the others wait for."""
        known = self._known.get(tool)
        if known is None:
            return False
        admitted = rule.admission(known.breaker(), is_probe=known.probe_call == call)
        if isinstance(admitted, rule.Go):
            return admitted.is_probe
        if isinstance(admitted, rule.TryProbe):
            if await self._change(PROBE, tool, call, seconds=rule.PROBE_S):
                return True
            admitted = rule.Wait(rule.LOOK_S)
        reason = f"{tool} is shut: it failed {known.failures} times in a row. {known.last_error}"
        raise ToolShut(reason, wait_s=admitted.seconds + random.uniform(0, SPREAD_S))

    async def heed(
        self, tool: str, call: UUID, verdict: Verdict, *, is_probe: bool, error: str | None
    ) -> None:
        """Write down what the outcome of an admitted call changes; mostly nothing."""
        known = self._known.get(tool)
        breaker = known.breaker() if known else rule.CLOSED
        match rule.after(breaker, verdict, is_probe=is_probe):
            case Change.NOTHING:
                return
            case Change.COUNT:
                await self._count(tool, call, error or "")
            case Change.OPEN:
                await self._change(OPEN, tool, call, seconds=rule.OPEN_S)
            case Change.NEXT_PROBE:
                await self._change(NEXT_PROBE, tool, call)
            case Change.CLOSE:
                await self._change(CLOSE, tool, call)
        await self.refresh()

    async def _count(self, tool: str, call: UUID, error: str) -> None:
        said = storable.text(error, limit=500)
        cursor = await self._conn.execute(COUNT, {"tool": tool, "error": said}, at="breaker")
        row = await cursor.fetchone()
        if rule.opens(row[0]):
            await self._change(OPEN, tool, call, seconds=rule.OPEN_S)

    async def _change(self, statement: str, tool: str, call: UUID, **values: float) -> bool:
        values_of_all = {"tool": tool, "call": call, **values}
        cursor = await self._conn.execute(statement, values_of_all, at="breaker")
        return bool(cursor.rowcount)

"""The stuck tools and their agent, registered for good: for a process of its own, by its
AGENTOPS_AGENT_MODULES, never for the tests' own process."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from executions.agents import register
from executions.engine import tickets
from executions.engine.runner import Runner
from tests.support import trial
from tests.support.standing_runner import config
from tests.support.stuck_tools import STUCK
from tools.registry import TOOLS

TOOLS.update(STUCK)
register(trial.agent())


def stand(base_url: str, frozen_s: float) -> None:
    """Be one runner until the process ends."""
    chosen = replace(config(base_url=base_url), frozen_s=frozen_s)
    asyncio.run(Runner(chosen, ring=tickets.ring_on, clear=tickets.clear).run())

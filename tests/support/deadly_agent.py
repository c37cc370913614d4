"""An agent with a tool that kills the process it runs in. Its import registers both."""

from __future__ import annotations

import os
import signal
from typing import Any

from executions.agents import Agent, register
from tests.support.rehearsed_agent import Script
from tools.base import Effect, tool
from tools.registry import TOOLS


@tool(effect=Effect.READ)
def die(*, word: str) -> dict[str, Any]:
    """Kill the process."""
    os.kill(os.getpid(), signal.SIGKILL)
    return {"word": word}


TOOLS["die"] = die
DEADLY = register(
    Agent(
        name="deadly",
        title="Kills its runner",
        instructions="Follow the script in the input.",
        tools=("die", "find_customers"),
        input_model=Script,
    )
)

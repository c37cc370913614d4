"""Tools that last as long as the test wants, and an agent that has them."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from executions.agents import Agent, register
from executions.core.limits import Limits
from tests.support.rehearsed_agent import Script
from tools.base import Effect, never, tool
from tools.registry import TOOLS

LASTS = threading.Event()
POLL_S = 0.01


@tool(effect=Effect.READ)
async def nap(*, number: int) -> dict[str, Any]:
    """Return the number, but not while `LASTS` is set."""
    while LASTS.is_set():
        await asyncio.sleep(POLL_S)
    return {"number": number}


@tool(effect=Effect.IDEMPOTENT, approval=never())
async def file_nap(*, number: int) -> dict[str, Any]:
    """Like `nap`, told to an outside that honours our key."""
    while LASTS.is_set():
        await asyncio.sleep(POLL_S)
    return {"number": number}


TOOLS["nap"], TOOLS["file_nap"] = nap, file_nap
NAPPING = register(
    Agent(
        name="rehearsed_napping",
        title="Has a tool that lasts",
        instructions="Follow the script in the input.",
        tools=("nap", "file_nap", "send_email"),
        input_model=Script,
        limits=Limits(max_tokens=1_000_000),
    )
)


def naps(*numbers: int) -> dict[str, Any]:
    """A reply that asks for these naps at once."""
    return {"calls": [{"name": "nap", "arguments": {"number": number}} for number in numbers]}

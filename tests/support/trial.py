"""Tools made for one test, and an agent that may use them and says what the test tells it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from agentops.accounts.models import User
from executions import agents, operations
from executions.agents import Agent
from executions.core.limits import Limits
from executions.models import AgentExecution, AgentToolCall
from tests.support.rehearsed_agent import Script, calls, text
from tools.base import Tool
from tools.registry import TOOLS

TRIAL = "trial"


def agent() -> Agent:
    """The agent that may use every tool there is now."""
    return Agent(
        name=TRIAL,
        title="Uses the tools of one test",
        instructions="Follow the script in the input.",
        tools=tuple(TOOLS),
        input_model=Script,
        limits=Limits(max_tokens=1_000_000, max_identical_calls=50),
    )


@contextmanager
def trial(*tools: Tool) -> Iterator[None]:
    """Register these tools for the block, beside the site's, and the agent that may use them."""
    with pytest.MonkeyPatch.context() as patch:
        for one in tools:
            patch.setitem(TOOLS, one.name, one)
        patch.setitem(agents._agents, TRIAL, agent())
        yield


def launched(*script: dict[str, Any], **limits: Any) -> AgentExecution:
    """Launch the trial agent; its last reply is a text unless the script says otherwise."""
    return operations.launch(
        agent_type=TRIAL,
        input_data={"rehearse": [*script, text()]},
        user=User.objects.get(username="system"),
        limits=limits,
    ).execution


def asking(tool: str, **arguments: Any) -> AgentExecution:
    """Launch one that makes this one call."""
    return launched(calls((tool, arguments)))


def only_call(execution: AgentExecution) -> AgentToolCall:
    return execution.tool_calls.get()

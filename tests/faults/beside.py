"""A second rehearsed agent, with a single tool. Its import registers it."""

from __future__ import annotations

from executions.agents import Agent, register
from tests.support.rehearsed_agent import Script

BESIDE = register(
    Agent(
        name="rehearsed_beside",
        title="Goes on beside the other one",
        instructions="Follow the script in the input.",
        tools=("find_customers",),
        input_model=Script,
    )
)

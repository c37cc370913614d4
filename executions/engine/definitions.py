"""The definition an execution runs by: made once at launch, kept, and read back for each claim."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.conf import settings

from executions.agents import Agent
from executions.core import limits as limit_rules
from executions.core.limits import Limits
from executions.core.transcript import dump
from executions.llm.port import ToolSpec
from tools.registry import get_tool


@dataclass(frozen=True, kw_only=True)
class Definition:
    """An agent as it was at launch."""

    sha256: str
    agent: str
    instructions: str
    llm: str
    tools: tuple[ToolSpec, ...]
    limits: Limits
    output_schema: dict[str, Any] | None
    body: dict[str, Any]

    @property
    def tool_names(self) -> frozenset[str]:
        return frozenset(tool.name for tool in self.tools)

    @cached_property
    def votes(self) -> dict[str, int]:
        """How many people each tool that always needed some needed at launch, by its name."""
        return {
            tool["name"]: int(tool.get("votes") or 1)
            for tool in self.body["tools"]
            if tool.get("approval") == "always"
        }


_made: dict[tuple[int, str], tuple[Agent, Definition]] = {}


def define(agent: Agent) -> Definition:
    """Return the definition of `agent` as it stands in the code now; made once per process."""
    llm = agent.llm or settings.AGENTOPS_LLM_MODEL
    key = (id(agent), llm)
    if key not in _made:
        _made[key] = (agent, _define(agent, llm))  # keeping the agent keeps its id its own
    return _made[key][1]


def _define(agent: Agent, llm: str) -> Definition:
    tools = [get_tool(name) for name in agent.tools]
    return from_body({
        "agent": agent.name,
        "instructions": agent.instructions,
        "llm": llm,
        "tools": [
            {
                "name": tool.name,
                "description": tool.description,
                "schema": tool.schema(),
                "effect": tool.effect.value,
                "approval": tool.approval.mode,
                "votes": tool.approval.votes,
            }
            for tool in tools
        ],
        "limits": limit_rules.to_json(agent.limits),
        "output_schema": agent.output_model.model_json_schema() if agent.output_model else None,
    })  # fmt: skip


def from_body(body: dict[str, Any]) -> Definition:
    """Read a stored definition back."""
    return Definition(
        sha256=hashlib.sha256(dump(body).encode()).hexdigest(),
        agent=body["agent"],
        instructions=body["instructions"],
        llm=body["llm"],
        tools=tuple(
            ToolSpec(name=t["name"], description=t["description"], schema=t["schema"])
            for t in body["tools"]
        ),
        limits=limit_rules.from_json(body["limits"]),
        output_schema=body["output_schema"],
        body=json.loads(dump(body)),
    )

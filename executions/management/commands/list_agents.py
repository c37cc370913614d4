"""Which agents there are, what they may do and what they want."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from executions.agents import Agent, all_agents
from executions.core import limits as limit_rules
from executions.management.endings import PlainCommand
from executions.management.fields import input_fields
from executions.management.terminal import as_json, readable_json
from tools.base import UnknownTool
from tools.registry import get_tool


class Command(PlainCommand):
    help = "List the agents with their tools, limits and input."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        agents = [describe(agent) for agent in all_agents()]
        if options["json"]:
            self.stdout.write(as_json(agents, indent=2))
            return
        for facts in agents:
            self.stdout.write("\n".join(_lines(facts)) + "\n\n")
        if not agents:
            self.stdout.write("There are no agents; docs/write-an-agent.md says how to write one.")


def describe(agent: Agent) -> dict[str, Any]:
    """Return an agent as JSON-able facts."""
    return {
        "name": agent.name,
        "title": agent.title,
        "llm": agent.llm,
        "tools": [_tool(name) for name in agent.tools],
        "limits": limit_rules.to_json(agent.limits),
        "input": input_fields(agent),
        "sample_input": agent.sample_input,
    }


def _tool(name: str) -> dict[str, Any]:
    try:
        tool = get_tool(name)
    except UnknownTool:
        return {"name": name, "effect": None, "gate": "not registered", "votes": 0}
    gate = tool.approval.mode
    votes = 0 if gate == "never" else tool.approval.votes
    return {"name": name, "effect": tool.effect.value, "gate": gate, "votes": votes}


def _lines(facts: dict[str, Any]) -> list[str]:
    limits = [f"{name} {value}" for name, value in facts["limits"].items() if value is not None]
    return [
        f"{facts['name']}: {facts['title']}",
        "  input",
        *(f"    {_field(field)}" for field in facts["input"]),
        f"  sample  {readable_json(facts['sample_input'])}",
        "  tools",
        *(f"    {_marked(tool)}" for tool in facts["tools"]),
        f"  limits  {', '.join(limits)}",
    ]


def _field(field: dict[str, Any]) -> str:
    optional = "" if field["required"] else ", may be left out"
    about = f": {field['description']}" if field["description"] else ""
    return f"{field['name']} ({field['type']}{optional}){about}"


def _marked(tool: dict[str, Any]) -> str:
    """`send_email  [gate: 1 person]`: what needs people is marked."""
    people = "1 person" if tool["votes"] == 1 else f"{tool['votes']} people"
    marks = {
        "always": f"  [gate: {people}]",
        "when": f"  [gate: {people}, depending on its arguments]",
        "never": "",
    }
    name: str = tool["name"]
    return name + marks.get(tool["gate"], f"  [{tool['gate']}]")

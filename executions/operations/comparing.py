"""The definition an execution runs by beside the one its agent has in the code now."""

from __future__ import annotations

from dataclasses import dataclass

from executions.agents import UnknownAgent, get_agent
from executions.core.definition_changes import Change, changes
from executions.engine.definitions import Definition, define
from executions.models import AgentDefinition, AgentExecution
from tools.base import UnknownTool


@dataclass(frozen=True, kw_only=True)
class Outdated:
    """`number` counts the agent's definitions from its first launch on; `now` is the one that a
    launch would get today, None when the agent or one of its tools is no longer in the code."""

    number: int
    now: int | None
    changes: list[Change]


def outdated(execution: AgentExecution) -> Outdated | None:
    """Return what is different by now; None while it runs by what the code says."""
    if execution.definition_id is None:
        return None
    live = _live(execution.agent_type)
    if live and live.sha256 == execution.definition_id:
        return None
    kept = AgentDefinition.objects.filter(agent_type=execution.agent_type)
    numbers = list(kept.order_by("created_at", "pk").values_list("pk", flat=True))
    own = kept.get(pk=execution.definition_id).body
    return Outdated(
        number=numbers.index(execution.definition_id) + 1,
        now=_number(numbers, live.sha256) if live else None,
        changes=changes(own, live.body) if live else [],
    )


def _live(agent_type: str) -> Definition | None:
    try:
        return define(get_agent(agent_type))
    except (UnknownAgent, UnknownTool):
        return None


def _number(numbers: list[str], sha256: str) -> int:
    """Return its number, or the next one while nothing has been launched by it."""
    return (numbers.index(sha256) if sha256 in numbers else len(numbers)) + 1

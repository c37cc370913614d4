"""What is switched off, and which of it holds something back."""

from __future__ import annotations

from collections.abc import Iterable

from executions.models import AgentBreaker, AgentControl
from executions.templatetags.show import named

Switch = AgentControl | AgentBreaker


def over_agent(off: Iterable[Switch], agent_type: str) -> Switch | None:
    """Return what this agent's executions wait for, if anything; the narrowest."""
    places = {("all", ""), ("agent", agent_type)}
    return next((one for one in reversed([*off]) if (one.scope, one.key) in places), None)


def over_call(off: Iterable[Switch], agent_type: str, tool_name: str) -> Switch | None:
    """Return what a call of this tool waits for, if anything."""
    known = [*off]
    its_own = [one for one in known if (one.scope, one.key) == ("tool", tool_name)]
    return over_agent(known, agent_type) or (its_own[0] if its_own else None)


def until(switch: Switch) -> str:
    """Return the end of a sentence that begins: it waits until."""
    if isinstance(switch, AgentBreaker):
        return f"a call that tries {switch.place} again succeeds"
    who = named(switch.changed_by) if switch.changed_by else "the system"
    return f"{who}'s switch over {switch.place} is lifted"

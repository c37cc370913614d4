"""What people changed of what an agent had proposed, for whoever decides on it now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agentops.accounts.models import User
from executions.desk.differences import Difference, differences
from executions.models import AgentReview, AgentToolCall


@dataclass(frozen=True, kw_only=True)
class Edit:
    """`by` are those who edited, each once; `changes` lead from the agent's proposal to what would
    run, whatever stood between."""

    by: list[User]
    changes: list[Difference]

    @property
    def fields(self) -> str:
        return ", ".join(one.label for one in self.changes)


def edit_of(call: AgentToolCall, versions: Sequence[AgentReview]) -> Edit | None:
    """Return what people made of the call, or None while it is as the agent proposed it.
    `versions` are those of its review."""
    if call.proposed_input is None or call.proposed_input == call.tool_input:
        return None
    changes = differences(call.proposed_input, call.tool_input)
    by = {one.edited_by_id: one.edited_by for one in versions if one.edited_by}
    return Edit(by=list(by.values()), changes=changes) if changes else None

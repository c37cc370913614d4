"""What an execution's page says of retrying it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from agentops.accounts.models import User
from executions import operations, permissions
from executions.models import AgentExecution
from executions.pages.wording import action


def offer(person: User, execution: AgentExecution) -> dict[str, Any]:
    """Return whether the person may retry it, what it did, and its retries so far."""
    if not execution.is_final:
        return {"may_retry": False}
    may_retry = person.has_perm(permissions.LAUNCH)
    done = operations.effects_done(execution) if may_retry else []
    return {
        "may_retry": may_retry,
        "done": [(call, action(call.tool_name, call.tool_input).headline) for call in done],
        "retries": execution.retries.order_by("created_at"),
    }


def ids(given: Iterable[str]) -> set[UUID]:
    """Return the ids in a form's values; what is none of ours is left out."""
    found = set()
    for text in given:
        try:
            found.add(UUID(text))
        except ValueError:
            continue
    return found

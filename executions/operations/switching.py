"""Switches: pause or kill an agent, a tool or everything, and lift that again.

The database lets whoever changes a switch in alone: once this has committed, nothing that it
forbids starts (I9), and runners hear of it at once.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import connection

from agentops.accounts.models import User
from executions import permissions
from executions.agents import get_agent
from executions.commits import commit
from executions.core import storable
from executions.engine import tickets
from executions.models import AgentControl
from executions.models.control import SCOPES
from executions.operations.patience import patient
from executions.operations.refusals import (
    AlreadyDecided,
    NotFound,
    NotPermitted,
    ReasonMissing,
    Refusal,
    Stale,
)
from tools.registry import TOOLS

REASON_CHARS = 1000

PULL = """
INSERT INTO agent_controls AS c (scope, key, state, reason, changed_by, changed_at)
VALUES (%(scope)s, %(key)s, %(state)s, %(reason)s, %(person)s, clock_timestamp())
ON CONFLICT (scope, key) DO UPDATE SET state = excluded.state, reason = excluded.reason,
    changed_by = excluded.changed_by, changed_at = excluded.changed_at
WHERE c.state = ANY(%(from_states)s)
"""

LIFT = """
UPDATE agent_controls SET state = 'on', reason = %(reason)s, changed_by = %(person)s,
    changed_at = clock_timestamp()
WHERE scope = %(scope)s AND key = %(key)s AND state <> 'on'
  AND (%(seen)s::timestamptz IS NULL OR changed_at = %(seen)s)
"""

# A tool's circuit breaker is lifted the same way; who did it stands in the tool's switch, unless
# somebody pulled that.
CLOSE_BREAKER = """
WITH shut AS (
    DELETE FROM agent_breakers WHERE tool_name = %(key)s AND open_until IS NOT NULL
    AND (%(seen)s::timestamptz IS NULL OR opened_at = %(seen)s) RETURNING tool_name
), noted AS (
    INSERT INTO agent_controls AS c (scope, key, state, reason, changed_by, changed_at)
    SELECT 'tool', tool_name, 'on', %(reason)s, %(person)s, clock_timestamp() FROM shut
    ON CONFLICT (scope, key) DO UPDATE SET reason = excluded.reason,
        changed_by = excluded.changed_by, changed_at = excluded.changed_at WHERE c.state = 'on')
SELECT 1 FROM shut
"""

# Starts that the tool's switch refused are tried again at once; locked in the engine's order.
WAKE = """
WITH held AS (
    SELECT e.id FROM agent_executions e
    WHERE e.status = 'pending' AND e.wake_at > clock_timestamp() AND EXISTS (
        SELECT FROM agent_tool_calls c WHERE c.execution_id = e.id AND c.tool_name = %s
        AND c.status IN ('pending', 'approved', 'running'))
    ORDER BY e.id FOR NO KEY UPDATE)
UPDATE agent_executions e SET wake_at = NULL FROM held WHERE e.id = held.id
"""


def pause(*, scope: str, key: str = "", person: User, reason: str) -> AgentControl:
    """Hold something back: a step under way ends, the next one and every start waits.

    `scope` is all, agent or tool, `key` the agent's or the tool's name. Nothing fails and nothing
    is lost: what waits goes on once this is lifted. Raises NotPermitted, NotFound, ReasonMissing,
    UnknownAgent, and AlreadyDecided when it is off already.
    """
    return _pull("paused", scope, key, person, reason, over=("on",))


def kill(*, scope: str, key: str = "", person: User, reason: str) -> AgentControl:
    """Like `pause`, and LLM requests under way are broken off, too."""
    return _pull("killed", scope, key, person, reason, over=("on", "paused"))


def lift(
    *, scope: str, key: str = "", person: User, reason: str = "", seen: datetime | None = None
) -> AgentControl:
    """Let what a switch holds back go on at once, also what a tool's circuit breaker does.

    `seen` is when the switch that the person saw was pulled. Raises NotPermitted, NotFound when
    nothing is off, and Stale when it was changed since it was seen.
    """
    _check_permitted(person)
    lifted = _lift({**_values(scope, key, person, reason), "seen": seen})
    found = AgentControl.objects.filter(scope=scope, key=key).first()
    if found is None or not lifted:
        raise _not_lifted(found)
    if scope == "tool":
        _wake(key)
    return found


@patient
def _lift(values: dict[str, Any]) -> bool:
    with commit("lift"), connection.cursor() as cursor:
        cursor.execute(LIFT, values)
        lifted = bool(cursor.rowcount)
        if values["scope"] == "tool":
            cursor.execute(CLOSE_BREAKER, values)
            lifted = lifted or cursor.fetchone() is not None
        if lifted:
            tickets.ring()
    return lifted


@patient
def _wake(tool_name: str) -> None:
    with commit("wake_held"), connection.cursor() as cursor:
        cursor.execute(WAKE, [tool_name])


@patient
def _pull(
    state: str, scope: str, key: str, person: User, reason: str, *, over: tuple[str, ...]
) -> AgentControl:
    _check_permitted(person)
    _check_place(scope, key)
    if not reason.strip():
        raise ReasonMissing("Say why: whoever finds it switched off wants to know.")
    values = {**_values(scope, key, person, reason), "state": state, "from_states": list(over)}
    with commit("switch"), connection.cursor() as cursor:
        cursor.execute(PULL, values)
        pulled = bool(cursor.rowcount)
    found = AgentControl.objects.select_related("changed_by").get(scope=scope, key=key)
    if not pulled:
        raise AlreadyDecided(f"Somebody was faster: {found}")
    return found


def _check_permitted(person: User) -> None:
    if not person.is_service and not (person.is_active and person.has_perm(permissions.SWITCH)):
        raise NotPermitted(f"{person} may not pull switches; ask for {permissions.SWITCH}.")


def _check_place(scope: str, key: str) -> None:
    """Raise unless there is something to switch off there."""
    if scope not in SCOPES:
        raise Refusal(f"{scope!r} cannot be switched off; it is one of {', '.join(SCOPES)}.")
    if scope == "all" and key:
        raise Refusal("The switch over everything has no name beside it.")
    if scope == "agent":
        get_agent(key)
    if scope == "tool" and key not in TOOLS:
        raise NotFound(f"There is no tool {key!r}; there are {', '.join(sorted(TOOLS))}.")


def _values(scope: str, key: str, person: User, reason: str) -> dict[str, Any]:
    kept = storable.text(reason.strip(), limit=REASON_CHARS)
    return {"scope": scope, "key": key, "person": person.pk, "reason": kept}


def _not_lifted(found: AgentControl | None) -> Refusal:
    if found is None or found.state == "on":
        return NotFound("It is not switched off, or not any more.")
    return Stale(f"It was changed since you looked: {found}")

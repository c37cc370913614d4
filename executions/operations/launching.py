"""Launch: accept an execution, so that it will run whatever happens next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agentops.accounts.models import User
from executions import permissions
from executions.agents import InputRefused, get_agent
from executions.commits import commit
from executions.core import limits as limit_rules
from executions.core import storable
from executions.core.row_format import ROW_FORMAT
from executions.engine import tickets
from executions.engine.definitions import Definition, define
from executions.models import AgentDefinition, AgentExecution
from executions.operations.patience import patient
from executions.operations.refusals import KeyReused, NotPermitted, Refusal

KEY_CHARS = 200
RETRY = "retry "  # what a retry's own key begins with, and no other's


@dataclass(frozen=True)
class Launched:
    """`is_new` False: the idempotency key had launched this execution before."""

    execution: AgentExecution
    is_new: bool


@patient
def launch(
    *,
    agent_type: str,
    input_data: Any,
    user: User,
    launched_by: User | None = None,
    limits: Mapping[str, Any] | None = None,
    idempotency_key: str | None = None,
    priority: int = 0,
    retry_of: AgentExecution | None = None,
) -> Launched:
    """Store a pending execution, its definition and a ticket in one transaction.

    `user` is whom it runs for, `launched_by` who asked (default: the same); `limits` maps names
    to values put over the agent's. Raises UnknownAgent, InputRefused, LimitError, NotPermitted,
    KeyReused, and Refusal for a key that a retry would use; nothing is stored then.
    """
    agent = get_agent(agent_type)
    check_permitted(launched_by or user, agent_type)
    checked = agent.checked(input_data)
    if storable.value(checked) != checked:
        raise InputRefused(
            f"Input for {agent_type}: it holds characters that PostgreSQL cannot keep (NUL or a"
            " lone surrogate), or is too large."
        )
    ceilings = limit_rules.merged(agent.limits, limits or {})
    _check_key(idempotency_key, is_retry=retry_of is not None)
    definition = define(agent)
    with commit("launch"):
        _keep(definition)
        row = AgentExecution(
            user=user,
            launched_by=launched_by or user,
            agent_type=agent.name,
            input_data=checked,
            limits=limit_rules.to_json(ceilings),
            definition_id=definition.sha256,
            row_format=ROW_FORMAT,
            idempotency_key=idempotency_key,
            priority=priority,
            retry_of=retry_of,
        )
        return _stored(row)


def _keep(definition: Definition) -> None:
    """Store the definition unless an earlier launch did."""
    if AgentDefinition.objects.filter(pk=definition.sha256).exists():
        return
    row = AgentDefinition(
        sha256=definition.sha256, agent_type=definition.agent, body=definition.body
    )
    AgentDefinition.objects.bulk_create([row], ignore_conflicts=True)


def _stored(row: AgentExecution) -> Launched:
    """Insert the row and ring, unless its key launched an execution already."""
    if row.idempotency_key is None:
        row.save(force_insert=True)
    else:
        AgentExecution.objects.bulk_create([row], ignore_conflicts=True)
        kept = AgentExecution.objects.get(
            agent_type=row.agent_type, idempotency_key=row.idempotency_key
        )
        if kept.pk != row.pk:
            return _seen_before(kept, row)
    row.refresh_from_db()
    tickets.ring(row.pk)
    return Launched(row, is_new=True)


def _seen_before(kept: AgentExecution, row: AgentExecution) -> Launched:
    if kept.input_data != row.input_data:
        raise KeyReused(
            f"The idempotency key {row.idempotency_key!r} launched execution {kept.pk} with other"
            " input. Use a new key."
        )
    return Launched(kept, is_new=False)


def _check_key(key: str | None, *, is_retry: bool) -> None:
    if key is None:
        return
    if key.startswith(RETRY) and not is_retry:
        raise Refusal(
            f"Idempotency keys that begin with {RETRY!r} are kept for retries; use another."
        )
    if not 0 < len(key) <= KEY_CHARS or not key.isprintable():
        raise KeyReused(f"An idempotency key has 1 to {KEY_CHARS} printable characters.")


def check_permitted(person: User, agent_type: str) -> None:
    """Raise NotPermitted unless the person may launch."""
    if not person.is_service and not (person.is_active and person.has_perm(permissions.LAUNCH)):
        raise NotPermitted(f"{person} may not launch {agent_type}; ask for {permissions.LAUNCH}.")

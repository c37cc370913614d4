"""Retry: a person starts a new execution from one that has ended. What has ended stays ended."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from django.db.models import Q

from agentops.accounts.models import User
from executions.core.states import CallStatus
from executions.models import AgentExecution, AgentToolCall
from executions.operations.launching import RETRY, Launched, check_permitted, launch
from executions.operations.refusals import AlreadyDecided, EffectsDone, NotFound, Refusal

# A doubt that was dropped may have happened all the same.
DROPPED = Q(status=CallStatus.CANCELLED, effect__in=("idempotent", "once"))
DONE = Q(status__in=(CallStatus.SUCCEEDED, CallStatus.IN_DOUBT)) | DROPPED


def retry(
    *,
    execution_id: UUID,
    person: User,
    acknowledged: Collection[UUID] = (),
    limits: Mapping[str, Any] | None = None,
) -> Launched:
    """Launch the same input for the same user once more, under the agent's present definition.

    `acknowledged` are the calls of `effects_done` that the person has been shown. Raises what
    `launch` raises, NotFound, EffectsDone when a call was not shown, AlreadyDecided while another
    retry is under way, and Refusal while the execution itself has not ended.
    """
    execution = AgentExecution.objects.filter(pk=execution_id).first()
    if execution is None:
        raise NotFound(f"There is no execution {execution_id}.")
    check_permitted(person, execution.agent_type)
    if not execution.is_final:
        raise Refusal(f"It has not ended: it is {execution.status}. Cancel it first, or wait.")
    before = list(execution.retries.all())
    for other in before:
        if not other.is_final:
            raise AlreadyDecided(f"A retry of it is under way already: {other.pk}.")
    unseen = [call for call in effects_done(execution) if call.pk not in acknowledged]
    if unseen:
        raise EffectsDone(unseen)
    return launch(
        agent_type=execution.agent_type,
        input_data=execution.input_data,
        user=execution.user,
        launched_by=person,
        limits=limits,
        # two people who retry at the same moment launch one
        idempotency_key=f"{RETRY}{len(before) + 1} of {execution.pk}",
        priority=execution.priority,
        retry_of=execution,
    )


def effects_done(execution: AgentExecution) -> list[AgentToolCall]:
    """Return what a retry may do a second time: changes that this execution, those it retried and
    the other retries of them made, or may have made, the oldest first."""
    calls = AgentToolCall.objects.filter(DONE, execution__in=_family(execution))
    return list(calls.exclude(effect="read").exclude(started_at=None).order_by("started_at"))


def _family(execution: AgentExecution) -> set[UUID]:
    found, new = set(), {execution.pk}
    while new:
        found |= new
        parents = AgentExecution.objects.filter(pk__in=new).values_list("retry_of", flat=True)
        children = AgentExecution.objects.filter(retry_of__in=new).values_list("pk", flat=True)
        new = {*parents, *children} - found - {None}
    return found

"""Locking and moving rows for people's operations. Lock order: execution, review, call.

Every move is an UPDATE that says where it may come from; what it did not hit is an answer.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import F, QuerySet
from django.db.models.functions import Now

from agentops.accounts.models import User
from executions.core.states import (
    CALL_MOVES,
    EXECUTION_MOVES,
    REVIEW_MOVES,
    CallStatus,
    ExecutionStatus,
    ReviewStatus,
    sources,
)
from executions.engine import tickets
from executions.models import AgentExecution, AgentReview, AgentToolCall
from executions.operations.refusals import NotFound


def act_as(person: User) -> None:
    """Name the person to the audit trail for the rest of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('agentops.actor', %s, true)", [str(person.pk)])


def locked_execution(execution_id: UUID) -> AgentExecution:
    """Return the execution's row, locked until the transaction ends."""
    found = AgentExecution.objects.select_for_update(no_key=True).filter(pk=execution_id).first()
    if found is None:
        raise NotFound(f"There is no execution {execution_id}.")
    return found


def locked_review(review_id: UUID) -> tuple[AgentExecution, AgentReview]:
    """Return a review with its execution, both locked in order."""
    place = AgentReview.objects.filter(pk=review_id).values_list("execution_id", flat=True).first()
    if place is None:
        raise NotFound(f"There is no review {review_id}.")
    execution = locked_execution(place)
    review = AgentReview.objects.select_for_update(no_key=True, of=("self",)).get(pk=review_id)
    return execution, review


def move_call(call_id: UUID, to: CallStatus, **changes: Any) -> bool:
    """Move a call if its status allows; False otherwise."""
    if to in {CallStatus.SUCCEEDED, CallStatus.REJECTED, CallStatus.EXPIRED, CallStatus.CANCELLED}:
        changes["finished_at"] = Now()
    return _moved(AgentToolCall.objects.filter(pk=call_id), sources(CALL_MOVES, to), to, changes)


def move_review(review: AgentReview, to: ReviewStatus) -> bool:
    """Close a review and count it off its execution; False if its status does not allow it."""
    was_open = review.status == ReviewStatus.OPEN
    rows = AgentReview.objects.filter(pk=review.pk)
    if not _moved(rows, sources(REVIEW_MOVES, to), to, {}):
        return False
    if was_open:
        AgentExecution.objects.filter(pk=review.execution_id, open_reviews__gt=0).update(
            open_reviews=F("open_reviews") - 1
        )
    return True


def wake(execution_id: UUID) -> bool:
    """Make the execution runnable and ring for it, if nothing is left to decide."""
    rows = AgentExecution.objects.filter(
        pk=execution_id, status=ExecutionStatus.AWAITING_REVIEW, open_reviews=0
    )
    if not rows.update(status=ExecutionStatus.PENDING, wake_at=None):
        return False
    tickets.ring(execution_id)
    return True


def end_execution(execution_id: UUID, to: ExecutionStatus, **changes: Any) -> bool:
    """End an execution that no runner drives."""
    rows = AgentExecution.objects.filter(pk=execution_id, lease_owner=None)
    changes["completed_at"] = Now()
    return _moved(rows, sources(EXECUTION_MOVES, to), to, changes)


def _moved(rows: QuerySet[Any], origins: Any, to: str, changes: dict[str, Any]) -> bool:
    return bool(rows.filter(status__in=origins).update(status=to, **changes))

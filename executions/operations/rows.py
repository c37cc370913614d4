"""Locking and moving rows for people's operations. Lock order: execution, review, call.

Every move is an UPDATE that says where it may come from; what it did not hit is an answer.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import F, Func, JSONField, Max, QuerySet, TextField, Value
from django.db.models.expressions import CombinedExpression
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


def move_review(review: AgentReview, to: ReviewStatus, **changes: Any) -> bool:
    """Close a review and count it off its execution; False if its status does not allow it."""
    was_open = review.status == ReviewStatus.OPEN
    rows = AgentReview.objects.filter(pk=review.pk)
    if not _moved(rows, sources(REVIEW_MOVES, to), to, changes):
        return False
    if was_open:
        AgentExecution.objects.filter(pk=review.execution_id, open_reviews__gt=0).update(
            open_reviews=F("open_reviews") - 1
        )
    return True


def end_claim(review_id: UUID, person: User) -> bool:
    """Let the person be on the review no more; False if they were not."""
    mine = AgentReview.objects.filter(pk=review_id, claimed_by=person)
    return bool(mine.update(claimed_by=None, claimed_until=None))


def next_version(review: AgentReview, **changes: Any) -> AgentReview:
    """Put the same call before people once more, as `review` did but for the changes.

    Nobody is on the new version yet: whoever was on the old one has something else to look at.
    """
    kept = ["call_id", "execution_id", "tool_name", "input_digest", "kind", "required_votes"]
    kept += ["risk", "target_version", "expires_at", "customer_id"]
    given = {name: getattr(review, name) for name in kept}
    latest = AgentReview.objects.filter(call=review.call_id).aggregate(n=Max("version"))["n"]
    newer = AgentReview.objects.create(**{**given, "version": latest + 1, **changes})
    AgentExecution.objects.filter(pk=review.execution_id).update(open_reviews=F("open_reviews") + 1)
    newer.refresh_from_db()
    return newer


def digest_of(arguments: Any) -> Func:
    """Return the expression of the digest these arguments will have."""
    return Func(Value(arguments, JSONField()), function="agentops_digest", output_field=TextField())


def in_future(span: timedelta) -> CombinedExpression:
    """Return the moment that far ahead, by the database's clock."""
    return Now() + span


def stir(execution_id: UUID) -> None:
    """Let a runner look at once at an execution that was put back until later."""
    rows = AgentExecution.objects.filter(pk=execution_id, status=ExecutionStatus.PENDING)
    if rows.update(wake_at=None):
        tickets.ring(execution_id)


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

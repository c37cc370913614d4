"""Cancel: nothing of this execution starts after this commits."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Now

from agentops.accounts.models import User
from executions import permissions
from executions.commits import commit
from executions.core import storable
from executions.core.states import CallStatus, ExecutionStatus, ReviewKind, ReviewStatus
from executions.engine import tickets
from executions.models import AgentExecution
from executions.operations import rows
from executions.operations.patience import patient
from executions.operations.refusals import AlreadyFinal, NotPermitted

# cut off, a read left nothing behind and a transaction has not committed
HARMLESS = ("read", "transactional")


@patient
def cancel(*, execution_id: UUID, person: User, reason: str = "") -> AgentExecution:
    """Cancel an execution; asking twice is the same as once.

    One that nobody drives ends at once. A driven one ends when its runner hears: at most one
    effect already under way may still finish. One put back half done is taken up once more, to
    leave its doubt to people. Raises AlreadyFinal, NotPermitted, NotFound.
    """
    check_may_cancel(person)
    with commit("cancel"):
        execution = rows.locked_execution(execution_id)
        if execution.is_final:
            raise AlreadyFinal(f"The execution is {execution.status} already.")
        rows.act_as(person)
        why = f": {reason.strip()}" if reason.strip() else ""
        stop(execution, f"{person} cancelled it{why}")
        execution.refresh_from_db()
        return execution


def was_by(execution_id: UUID, person: User) -> bool:
    """Test if it was this person who cancelled an execution."""
    told = f"CANCELLED: {person} "
    return AgentExecution.objects.filter(pk=execution_id, error__startswith=told).exists()


def check_may_cancel(person: User) -> None:
    """Raise NotPermitted unless this person may cancel executions."""
    if not person.is_service and not (person.is_active and person.has_perm(permissions.CANCEL)):
        raise NotPermitted(f"{person} may not cancel executions; ask for {permissions.CANCEL}.")


def stop(execution: AgentExecution, why: str) -> None:
    """End an execution whose row the caller holds and that is not final, or have its runner do it.

    `why` is what its stop reason says in words.
    """
    error = storable.text(f"CANCELLED: {why}", limit=1000)
    is_half_done = _is_half_done(execution)
    if execution.status != ExecutionStatus.RUNNING and not is_half_done:
        _end(execution, error)
        return
    AgentExecution.objects.filter(pk=execution.pk, cancel_requested_at=None).update(
        cancel_requested_at=Now(), error=error, wake_at=None
    )
    if is_half_done:
        tickets.ring(execution.pk)


def _is_half_done(execution: AgentExecution) -> bool:
    """Test if it was put back while nobody knows what became of a call that had started."""
    hidden = execution.tool_calls.filter(status=CallStatus.RUNNING).exclude(effect__in=HARMLESS)
    return execution.status == ExecutionStatus.PENDING and hidden.exists()


def _end(execution: AgentExecution, error: str) -> None:
    """End an execution that no runner drives, with what waits in it."""
    for review in execution.reviews.filter(
        status__in=(ReviewStatus.OPEN, ReviewStatus.APPROVED),
        kind=ReviewKind.APPROVAL,
        call__started_at=None,
    ):
        rows.move_review(review, ReviewStatus.VOID)
    unstarted = Q(status__in=(CallStatus.PENDING, CallStatus.AWAITING_REVIEW, CallStatus.APPROVED))
    harmless = Q(status=CallStatus.RUNNING, effect__in=HARMLESS)
    for call in execution.tool_calls.filter(unstarted | harmless):
        rows.move_call(call.pk, CallStatus.CANCELLED)
    rows.end_execution(
        execution.pk,
        ExecutionStatus.CANCELLED,
        cancel_requested_at=Now(),
        stop_reason="CANCELLED",
        error=error,
    )

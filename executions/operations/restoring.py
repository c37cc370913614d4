"""After the database went back in time: what may have happened meanwhile is asked, not repeated."""

from __future__ import annotations

from uuid import UUID

from django.db.models.functions import Now

from agentops.accounts.models import User
from executions.commits import commit
from executions.core.states import CallStatus, ReviewKind, ReviewStatus
from executions.models import AgentReview, AgentRunner, AgentToolCall
from executions.operations import rows
from executions.operations.patience import patient
from executions.operations.refusals import Refusal

LEAVES_THE_HOUSE = ("once", "idempotent")
WHY = (
    "The database was put back to an earlier moment. This was approved before it and may have"
    " happened since: look outside first. The earlier approvals are void."
)
FAILED = "It may have happened before the database was put back to an earlier moment."


class RunnersStand(Refusal):
    """Runners already work on what must be looked at first."""


def distrust(*, person: User) -> dict[str, int]:
    """Ask anew about every approved call that has not started and would leave the house.

    A call of that kind that needs nobody fails instead, so that the agent hears. To be done after a
    restore, or a failover that lost commits, before any runner starts. Returns how many of each.
    Raises RunnersStand.
    """
    if AgentRunner.objects.filter(dead_at=None, lease_until__gt=Now()).exists():
        raise RunnersStand("Runners stand. Stop the agents clusters, wait a lease, and repeat it.")
    calls = AgentToolCall.objects.filter(effect__in=LEAVES_THE_HOUSE, execution__completed_at=None)
    approved = calls.filter(status=CallStatus.APPROVED).values_list("review_id", flat=True)
    pending = calls.filter(status=CallStatus.PENDING, effect="once").values_list("pk", flat=True)
    return {
        "asked_anew": sum([_ask_anew(one, person) for one in list(approved) if one]),
        "failed": sum([_fail(one, person) for one in list(pending)]),
    }


@patient
def _ask_anew(review_id: UUID, person: User) -> bool:
    with commit("distrust"):
        execution, review = rows.locked_review(review_id)
        rows.act_as(person)
        if not rows.move_review(review, ReviewStatus.VOID):
            return False
        if review.kind == ReviewKind.DOUBT:
            rows.move_call(review.call_id, CallStatus.IN_DOUBT)
            rows.next_version(review, reason=WHY)
        else:
            newer: AgentReview = rows.next_version(review, reason=WHY)
            rows.move_call(review.call_id, CallStatus.AWAITING_REVIEW, review_id=newer.pk)
        rows.stir(execution.pk)
        return True


@patient
def _fail(call_id: UUID, person: User) -> bool:
    with commit("distrust"):
        rows.locked_execution(AgentToolCall.objects.values_list("execution_id").get(pk=call_id)[0])
        rows.act_as(person)
        return rows.move_call(call_id, CallStatus.FAILED, error=FAILED, finished_at=Now())

"""Decide a review: one person's vote, and what follows from it in the same transaction."""

from __future__ import annotations

import contextlib
from uuid import UUID

from django.db.models.functions import Now

from agentops.accounts.models import User
from executions.commits import commit
from executions.core.states import CallStatus, ReviewKind, ReviewStatus
from executions.models import AgentReview
from executions.operations import cancelling, rows
from executions.operations.patience import patient
from executions.operations.refusals import Busy, ReasonMissing, Refusal, ReviewClosed
from executions.operations.voting import Decided, cast, checked, closed, once_more
from executions.operations.withdrawing import undo_window


@once_more
@patient
def decide(
    *,
    review_id: UUID,
    person: User,
    approve: bool,
    seen_digest: str,
    reason: str = "",
    stop: bool = False,
) -> Decided:
    """Approve or reject one gated call; `stop`: a rejection ends the whole execution, too, with
    what else waits in it.

    `seen_digest` is the digest of the arguments the person saw. Raises a Refusal in words:
    AlreadyDecided, ReviewClosed, Stale, NotPermitted, ReasonMissing, NotFound.
    """
    with commit("decide"):
        execution, review = rows.locked_review(review_id)
        if review.kind != ReviewKind.APPROVAL:
            raise Refusal("This call is in doubt: say whether it happened.")
        reason = checked(execution, review, person, seen_digest, reason, own_work=approve)
        if not approve and not reason:
            raise ReasonMissing("Say why: the agent reads the reason and acts on it.")
        if stop and not approve:
            cancelling.check_may_cancel(person)
        cast(review, person, "approve" if approve else "reject", reason)
        if approve:
            return _approved(review, CallStatus.APPROVED)
        rows.move_review(review, ReviewStatus.REJECTED)
        words = {"by": str(person), "reason": reason}
        rows.move_call(review.call_id, CallStatus.REJECTED, tool_output=words)
        if not stop:
            return closed(review, ReviewStatus.REJECTED)
        why = f"{person} rejected {review.tool_name} and stopped the execution: {reason}"
        cancelling.stop(execution, why)
        return Decided(review, ReviewStatus.REJECTED, votes_missing=0, resumed=False)


@once_more
@patient
def settle(
    *, review_id: UUID, person: User, verdict: str, seen_digest: str, reason: str
) -> Decided:
    """Settle a call in doubt. `verdict`: happened (`reason` is its reference), run or drop.

    "run" needs as many votes as the tool's approval and runs it with the same idempotency key.
    """
    with commit("settle"):
        execution, review = rows.locked_review(review_id)
        if review.kind != ReviewKind.DOUBT or verdict not in ("happened", "run", "drop"):
            raise Refusal("Only a call in doubt is settled, as happened, run or drop.")
        run = verdict == "run"
        reason = checked(execution, review, person, seen_digest, reason, own_work=run)
        if not reason:
            raise ReasonMissing("Say how you know: a reference, or why.")
        if run and execution.is_final:
            raise ReviewClosed(
                f"The execution is {execution.status}; its call cannot run any more."
            )
        cast(review, person, "approve" if run else verdict, reason)
        if run:
            return _approved(review, CallStatus.APPROVED, review_id=review.pk)
        rows.move_review(review, ReviewStatus.REJECTED)
        words = {"settled_by": str(person), "reason": reason}
        if verdict == "happened":
            words = {"settled_by": str(person), "reference": reason, "happened": "yes"}
        to = CallStatus.SUCCEEDED if verdict == "happened" else CallStatus.CANCELLED
        rows.move_call(review.call_id, to, tool_output=words, error=None)
        return closed(review, ReviewStatus.REJECTED)


def _approved(review: AgentReview, to: CallStatus, **changes: UUID) -> Decided:
    """Approve the review when this vote was the last one needed."""
    votes = review.votes.filter(vote="approve", voter__is_active=True).count()
    if votes < review.required_votes:
        missing = review.required_votes - votes
        return Decided(review, ReviewStatus.OPEN, votes_missing=missing, resumed=False)
    rows.move_review(review, ReviewStatus.APPROVED, **undo_window(review))
    rows.move_call(review.call_id, to, **changes)
    return closed(review, ReviewStatus.APPROVED)


def expire_overdue() -> int:
    """Expire open approvals whose time is over; their agents hear that nobody decided."""
    overdue = AgentReview.objects.open().filter(kind=ReviewKind.APPROVAL, expires_at__lte=Now())
    count = 0
    for review_id in list(overdue.values_list("pk", flat=True)[:500]):
        with contextlib.suppress(Busy):  # the next minute comes by again
            count += _expire(review_id)
    return count


@patient
def _expire(review_id: UUID) -> bool:
    """Expire one review; False if somebody was faster."""
    with commit("expire"):
        _, review = rows.locked_review(review_id)
        if review.status != ReviewStatus.OPEN or not rows.move_review(review, ReviewStatus.EXPIRED):
            return False
        rows.move_call(review.call_id, CallStatus.EXPIRED)
        rows.wake(review.execution_id)
        return True

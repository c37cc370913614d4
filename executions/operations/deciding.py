"""Decide a review: one person's vote, and what follows from it in the same transaction."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import ParamSpec
from uuid import UUID

from django.db import IntegrityError
from django.db.models.functions import Now

from agentops.accounts.models import User
from executions.commits import commit
from executions.core import storable
from executions.core.states import CallStatus, ReviewKind, ReviewStatus
from executions.models import AgentExecution, AgentReview, AgentReviewVote
from executions.operations import rights, rows
from executions.operations.patience import patient
from executions.operations.refusals import (
    AlreadyDecided,
    Busy,
    NotPermitted,
    ReasonMissing,
    Refusal,
    ReviewClosed,
    Stale,
)
from executions.operations.withdrawing import undo_window
from tools.registry import TOOLS

REASON_CHARS = 4000
P = ParamSpec("P")


@dataclass(frozen=True)
class Decided:
    """What the vote did. `votes_missing` > 0: others must agree before anything happens."""

    review: AgentReview
    status: ReviewStatus
    votes_missing: int
    resumed: bool


def _once_more(operation: Callable[P, Decided]) -> Callable[P, Decided]:
    """Ask again when the database refuses what the checks had allowed, because the review expired
    between them and the vote. Now the checks say so in words."""

    @wraps(operation)
    def asked(*args: P.args, **kwargs: P.kwargs) -> Decided:
        try:
            return operation(*args, **kwargs)
        except IntegrityError:
            return operation(*args, **kwargs)

    return asked


@_once_more
@patient
def decide(
    *, review_id: UUID, person: User, approve: bool, seen_digest: str, reason: str = ""
) -> Decided:
    """Approve or reject one gated call.

    `seen_digest` is the digest of the arguments the person saw. Raises a Refusal in words:
    AlreadyDecided, ReviewClosed, Stale, NotPermitted, ReasonMissing, NotFound.
    """
    with commit("decide"):
        execution, review = rows.locked_review(review_id)
        if review.kind != ReviewKind.APPROVAL:
            raise Refusal("This call is in doubt: say whether it happened.")
        reason = _checked(execution, review, person, seen_digest, reason, own_work=approve)
        if not approve and not reason:
            raise ReasonMissing("Say why: the agent reads the reason and acts on it.")
        _vote(review, person, "approve" if approve else "reject", reason)
        if approve:
            return _approved(review, CallStatus.APPROVED)
        rows.move_review(review, ReviewStatus.REJECTED)
        words = {"by": str(person), "reason": reason}
        rows.move_call(review.call_id, CallStatus.REJECTED, tool_output=words)
        return _closed(review, ReviewStatus.REJECTED)


@_once_more
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
        reason = _checked(execution, review, person, seen_digest, reason, own_work=run)
        if not reason:
            raise ReasonMissing("Say how you know: a reference, or why.")
        if run and execution.is_final:
            raise ReviewClosed(
                f"The execution is {execution.status}; its call cannot run any more."
            )
        _vote(review, person, "approve" if run else verdict, reason)
        if run:
            return _approved(review, CallStatus.APPROVED, review_id=review.pk)
        rows.move_review(review, ReviewStatus.REJECTED)
        words = {"settled_by": str(person), "reason": reason}
        if verdict == "happened":
            words = {"settled_by": str(person), "reference": reason, "happened": "yes"}
        to = CallStatus.SUCCEEDED if verdict == "happened" else CallStatus.CANCELLED
        rows.move_call(review.call_id, to, tool_output=words, error=None)
        return _closed(review, ReviewStatus.REJECTED)


def _checked(
    execution: AgentExecution,
    review: AgentReview,
    person: User,
    seen_digest: str,
    reason: str,
    *,
    own_work: bool,
) -> str:
    """Raise what forbids this person's vote on this review now; return the reason, cleaned."""
    rights.check_permitted(person, review.tool_name)
    if own_work and person.pk == (execution.launched_by_id or execution.user_id):
        raise NotPermitted("You launched this execution; somebody else must approve its actions.")
    if own_work and review.call.reviews.filter(edited_by=person).exists():
        raise NotPermitted("You edited these arguments; somebody else must approve them.")
    rights.check_open(review)
    mine = review.votes.filter(voter=person).first()
    if mine:
        raise AlreadyDecided(f"You said {mine.vote} at {mine.created_at:%H:%M:%S} UTC already.")
    if seen_digest != review.input_digest:
        raise Stale("The arguments are not those you were shown; look again, then decide.")
    return storable.text(reason.strip(), limit=REASON_CHARS)


def _vote(review: AgentReview, person: User, vote: str, reason: str) -> None:
    rows.act_as(person)
    tool = TOOLS.get(review.tool_name)
    AgentReviewVote.objects.create(
        review=review,
        voter=person,
        vote=vote,
        reason=reason,
        input_digest=review.input_digest,
        tool_version=tool.fingerprint if tool else None,
    )


def _approved(review: AgentReview, to: CallStatus, **changes: UUID) -> Decided:
    """Approve the review when this vote was the last one needed."""
    votes = review.votes.filter(vote="approve", voter__is_active=True).count()
    if votes < review.required_votes:
        missing = review.required_votes - votes
        return Decided(review, ReviewStatus.OPEN, votes_missing=missing, resumed=False)
    rows.move_review(review, ReviewStatus.APPROVED, **undo_window(review))
    rows.move_call(review.call_id, to, **changes)
    return _closed(review, ReviewStatus.APPROVED)


def _closed(review: AgentReview, status: ReviewStatus) -> Decided:
    resumed = rows.wake(review.execution_id)
    return Decided(review, status, votes_missing=0, resumed=resumed)


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

"""Claim: say that one is on a review, so that two do not read the same thing.

A claim bars nobody's decision. It ends with its person's vote, with the review, or by itself; a new
version of the review begins without one.
"""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import F
from django.db.models.functions import Now

from agentops.accounts.models import User
from executions.commits import commit
from executions.core import storable
from executions.models import AgentReview, AgentReviewClaim
from executions.operations import rights, rows
from executions.operations.patience import patient
from executions.operations.refusals import AlreadyDecided, Claimed, NotFound, ReasonMissing

LEASE = timedelta(minutes=15)
REASON_CHARS = 500


@patient
def claim(*, review_id: UUID, person: User) -> AgentReview:
    """Be on a review for LEASE from now on; asking again renews it.

    Raises Claimed (with who is on it), AlreadyDecided, ReviewClosed, NotPermitted, NotFound.
    """
    with commit("claim_review"):
        review = _claimable(review_id, person)
        holder = _holder(review_id)
        if holder and holder.claimed_by_id != person.pk:
            raise Claimed(_told(holder))
        return _put_on(review, person, is_renewal=holder is not None)


@patient
def take_over(*, review_id: UUID, person: User, from_whom: UUID, reason: str) -> AgentReview:
    """Be on a review in the place of `from_whom`, who reads the reason.

    Where nobody is on it any more this is a claim. Raises Claimed when it is somebody else by now,
    ReasonMissing, AlreadyDecided, ReviewClosed, NotPermitted, NotFound.
    """
    reason = storable.text(reason.strip(), limit=REASON_CHARS)
    with commit("take_over"):
        review = _claimable(review_id, person)
        holder = _holder(review_id)
        if holder is None or holder.claimed_by_id == person.pk:
            return _put_on(review, person, is_renewal=holder is not None)
        if holder.claimed_by_id != from_whom:
            raise Claimed(_told(holder))
        if not reason:
            raise ReasonMissing(f"Say why: {holder.claimed_by} reads it.")
        return _put_on(review, person, taken_from=holder.claimed_by, reason=reason)


@patient
def release(*, review_id: UUID, person: User) -> None:
    """Let a review go; without a claim of one's own this changes nothing.

    Raises Claimed when somebody else is on it by now, NotFound.
    """
    with commit("release_review"):
        if rows.end_claim(review_id, person):
            return
        if not AgentReview.objects.filter(pk=review_id).exists():
            raise NotFound(f"There is no review {review_id}.")
        if holder := _holder(review_id):
            raise Claimed(_told(holder))


def _claimable(review_id: UUID, person: User) -> AgentReview:
    """Return the review, locked, if this person can still do something about it."""
    _, review = rows.locked_review(review_id)
    rights.check_permitted(person, review.tool_name)
    rights.check_open(review)
    if review.votes.filter(voter=person).exists():
        raise AlreadyDecided("You have voted on this already; somebody else must, too.")
    return review


def _holder(review_id: UUID) -> Any:
    """Return the review with `claimed_by` and the time `left`, if somebody is on it now."""
    held = AgentReview.objects.open().filter(pk=review_id, claimed_until__gt=Now())
    return held.select_related("claimed_by").annotate(left=F("claimed_until") - Now()).first()


def _told(holder: Any) -> str:
    minutes = math.ceil(holder.left.total_seconds() / 60)
    return f"{holder.claimed_by} is reviewing this ({minutes} min left)."


def _put_on(
    review: AgentReview, person: User, *, is_renewal: bool = False, **taken: Any
) -> AgentReview:
    AgentReview.objects.filter(pk=review.pk).update(
        claimed_by=person, claimed_until=rows.in_future(LEASE)
    )
    if not is_renewal:
        AgentReviewClaim.objects.create(
            review=review, execution_id=review.execution_id, claimant=person, **taken
        )
    review.refresh_from_db()
    return review

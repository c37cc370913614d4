"""Who is on which review now, and who took one over, as one person is told of it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from agentops.accounts.models import User
from executions.core.states import ReviewStatus
from executions.models import AgentReview, AgentReviewClaim


@dataclass(frozen=True, kw_only=True)
class OnIt:
    """A person who is on a review, for `minutes` more, the begun one included."""

    person: User
    minutes: int
    is_me: bool


def on_it(review: AgentReview, reader: User, now: datetime) -> OnIt | None:
    until = review.claimed_until
    if review.status != ReviewStatus.OPEN or until is None or until <= now:
        return None
    assert review.claimed_by is not None
    minutes = math.ceil((until - now).total_seconds() / 60)
    return OnIt(person=review.claimed_by, minutes=minutes, is_me=review.claimed_by_id == reader.pk)


def lost(reader: User, reviews: Iterable[UUID]) -> dict[UUID, AgentReviewClaim]:
    """Return, by review, the claim by which somebody took it from the reader who has not been on
    it since."""
    found: dict[UUID, AgentReviewClaim] = {}
    claims = AgentReviewClaim.objects.filter(
        Q(taken_from=reader) | Q(claimant=reader), review__in=list(reviews)
    )
    for claim in claims.select_related("claimant").order_by("created_at"):
        if claim.taken_from_id == reader.pk:
            found[claim.review_id] = claim
        else:
            found.pop(claim.review_id, None)
    return found


def presence_at(review: AgentReview, reader: User) -> dict[str, Any]:
    """Return what one review's page tells of it: `on_it` and `lost_to`, None as a rule."""
    is_open = review.status == ReviewStatus.OPEN
    return {
        "on_it": on_it(review, reader, timezone.now()),
        "lost_to": lost(reader, [review.pk]).get(review.pk) if is_open else None,
    }

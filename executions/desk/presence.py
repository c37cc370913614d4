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


def lost(reader: User, reviews: Iterable[AgentReview]) -> dict[UUID, AgentReviewClaim]:
    """Return, by review that somebody else is on, the claim that took it from the reader, who has
    not been on it since."""
    others = [one.pk for one in reviews if one.claimed_by_id not in (None, reader.pk)]
    found: dict[UUID, AgentReviewClaim] = {}
    claims = AgentReviewClaim.objects.filter(
        Q(taken_from=reader) | Q(claimant=reader),
        review__in=others,
        review__status=ReviewStatus.OPEN,
    )
    for claim in claims.select_related("claimant").order_by("created_at") if others else ():
        if claim.taken_from_id == reader.pk:
            found[claim.review_id] = claim
        else:
            found.pop(claim.review_id, None)
    return found


def presence_at(review: AgentReview, reader: User) -> dict[str, Any]:
    """Return what one review's page tells of it: `on_it` and `lost_to`, None as a rule."""
    return {
        "on_it": on_it(review, reader, timezone.now()),
        "lost_to": lost(reader, [review]).get(review.pk),
    }

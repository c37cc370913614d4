"""Who was told that a review waits for long: for the list's chip and the item's history."""

from __future__ import annotations

from django.db.models import OuterRef, Subquery

from executions.models import AgentNotification
from executions.models.notification import ESCALATED, REMINDED
from executions.models.review import ReviewQuerySet


def with_lateness(reviews: ReviewQuerySet) -> ReviewQuerySet:
    """Add `reminded_at` and `escalated_at`, the latest that somebody was told of; None: not yet."""
    return reviews.annotate(reminded_at=_latest(REMINDED), escalated_at=_latest(ESCALATED))


def _latest(stage: str) -> Subquery:
    told = AgentNotification.objects.filter(review=OuterRef("pk"), stage=stage).exclude(told=[])
    return Subquery(told.order_by("-created_at").values("created_at")[:1])

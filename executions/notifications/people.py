"""Whom a review concerns: who may approve it and has not been part of it; or, when nobody does,
the group that late reviews are escalated to."""

from __future__ import annotations

from django.db.models import QuerySet

from agentops.accounts.models import User
from executions import permissions
from executions.models import AgentNotification, AgentReview
from executions.models.notification import CLOSED, ESCALATED
from executions.notifications.late import late_of


def whom_to_tell(one: AgentNotification) -> list[User]:
    """Return the people with an address to whom this goes, by name."""
    if one.stage == CLOSED:
        return []
    if one.stage == ESCALATED:
        found = User.objects.filter(groups__name=late_of(one.review.tool_name).escalate_to)
        found = found.filter(is_active=True, is_service=False)
    else:
        found = who_may_approve(one.review)
    return list(found.exclude(email="").order_by("username"))


def who_may_approve(review: AgentReview) -> QuerySet[User]:
    """Return the people who may still approve this review."""
    able = User.objects.with_perm(permissions.approve(review.tool_name))
    execution = review.execution
    barred = {execution.launched_by_id or execution.user_id}
    barred |= set(review.votes.values_list("voter_id", flat=True))
    barred |= set(
        review.call.reviews.exclude(edited_by=None).values_list("edited_by_id", flat=True)
    )
    return able.filter(is_active=True, is_service=False).exclude(pk__in=barred)

"""Whom a review concerns: who may approve it, and has not been part of it."""

from __future__ import annotations

from agentops.accounts.models import User
from executions import permissions
from executions.models import AgentReview


def whom_to_tell(review: AgentReview) -> list[User]:
    """Return the people with an address who may still approve this review, by name."""
    able = User.objects.with_perm(permissions.approve(review.tool_name))
    execution = review.execution
    barred = {execution.launched_by_id or execution.user_id}
    barred |= set(review.votes.values_list("voter_id", flat=True))
    barred |= set(
        review.call.reviews.exclude(edited_by=None).values_list("edited_by_id", flat=True)
    )
    found = able.filter(is_active=True, is_service=False).exclude(pk__in=barred).exclude(email="")
    return list(found.order_by("username"))

"""Who may say something on a review, and whether it still takes anything."""

from __future__ import annotations

from django.db.models.functions import Now

from agentops.accounts.models import User
from executions import permissions
from executions.core.states import ReviewStatus
from executions.models import AgentReview
from executions.operations.refusals import (
    AlreadyDecided,
    NotPermitted,
    Refusal,
    ReviewClosed,
)

DID = {"ask": "asked the agent about", "happened": "settled", "drop": "dropped"}
"""What closed a review, where it is not called as its status is."""


def check_permitted(person: User, tool_name: str) -> None:
    """Raise NotPermitted unless this person decides on calls of the tool."""
    permission = permissions.approve(tool_name)
    if not person.is_active or person.is_service or not person.has_perm(permission):
        raise NotPermitted(f"{person} may not decide on {tool_name}; ask for {permission}.")


def check_open(review: AgentReview) -> None:
    """Raise who decided what when, or why nobody can any more, unless the review is open."""
    if review.status != ReviewStatus.OPEN:
        raise _why_closed(review)
    if AgentReview.objects.filter(pk=review.pk, expires_at__lte=Now()).exists():
        raise ReviewClosed(f"This review expired at {review.expires_at:%Y-%m-%d %H:%M} UTC.")


def _why_closed(review: AgentReview) -> Refusal:
    last = review.votes.order_by("-created_at").select_related("voter").first()
    if last and review.status in (ReviewStatus.APPROVED, ReviewStatus.REJECTED):
        did = DID.get(last.vote, review.status)
        return AlreadyDecided(
            f"{last.voter} {did} this at {last.created_at:%Y-%m-%d %H:%M:%S} UTC."
        )
    if review.status == ReviewStatus.EXPIRED:
        return ReviewClosed("This review expired before anybody decided.")
    return ReviewClosed("This review was replaced by a newer one, or its execution ended.")

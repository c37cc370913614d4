"""What the faults of notifications share: the outbox, and the time that passes for it."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import F

from executions.models import AgentNotification, AgentReview

SITE = "https://agentops.example.com"


def later(minutes: int = 60) -> None:
    """Time passes for the outbox."""
    ago = timedelta(minutes=minutes)
    AgentNotification.objects.update(created_at=F("created_at") - ago, due_at=F("due_at") - ago)


def of(review: AgentReview) -> AgentNotification:
    return AgentNotification.objects.get(review=review)

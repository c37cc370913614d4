"""Quiet hours: at night only what is urgent is mailed, by the clock where its reader lives."""

from __future__ import annotations

from django.conf import settings
from django.utils import timezone

from agentops.accounts.models import User
from executions.models import AgentNotification


def is_quiet(one: AgentNotification, person: User) -> bool:
    """Tell if this person is to be told later."""
    span: tuple[int, int] | None = settings.AGENTOPS_QUIET_HOURS
    if span is None or one.is_urgent:
        return False
    hour = timezone.localtime(timezone=person.zone or timezone.get_default_timezone()).hour
    return is_within(hour, *span)


def is_within(hour: int, first: int, last: int) -> bool:
    """Tell if the hour of the day is in the span, which may go over midnight."""
    return first <= hour < last if first <= last else hour >= first or hour < last

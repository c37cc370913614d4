"""Which open reviews wait for a person."""

from __future__ import annotations

from agentops.accounts.models import User
from executions.models import AgentReview
from executions.models.review import ReviewQuerySet
from executions.pages.rights import decidable_tools


def open_for(person: User) -> ReviewQuerySet:
    """Return the open reviews this person has the right to decide, those voted on included."""
    return AgentReview.objects.open().filter(tool_name__in=decidable_tools(person))


def waiting_for(person: User) -> ReviewQuerySet:
    """Return the open reviews that wait for this person's vote."""
    return open_for(person).exclude(votes__voter=person)

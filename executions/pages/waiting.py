"""Which open reviews wait for a person."""

from __future__ import annotations

from agentops.accounts.models import User
from executions.models import AgentReview
from executions.models.review import ReviewQuerySet
from executions.pages.rights import decidable_tools


def open_for(person: User) -> ReviewQuerySet:
    """Return the open reviews this person has the right to decide, those voted on included."""
    return AgentReview.objects.open().filter(tool_name__in=decidable_tools(person))


def voted_by(person: User) -> ReviewQuerySet:
    """Return the open reviews this person has voted on, which wait for somebody else.

    They need several votes: of all others a first vote is the end.
    """
    return open_for(person).filter(
        required_votes__gt=1, votes__voter=person, votes__withdrawn_at=None
    )


def waiting_for(person: User) -> ReviewQuerySet:
    """Return the open reviews that wait for this person's vote."""
    return open_for(person).exclude(pk__in=voted_by(person).values("pk"))

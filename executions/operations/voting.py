"""A vote on a review: what forbids it, its row, and what every kind of vote has in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import IntegrityError

from agentops.accounts.models import User
from executions.core import storable
from executions.core.states import ReviewStatus
from executions.models import AgentExecution, AgentReview, AgentReviewVote
from executions.operations import rights, rows
from executions.operations.refusals import AlreadyDecided, NotPermitted, Stale
from tools.registry import TOOLS

REASON_CHARS = 4000
P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class Decided:
    """What the vote did. `votes_missing` > 0: others must agree before anything happens."""

    review: AgentReview
    status: ReviewStatus
    votes_missing: int
    resumed: bool


def once_more(operation: Callable[P, T]) -> Callable[P, T]:
    """Ask again when the database refuses what the checks had allowed, because the review expired
    between them and its write. Now the checks say so in words."""

    @wraps(operation)
    def asked(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return operation(*args, **kwargs)
        except IntegrityError:
            return operation(*args, **kwargs)

    return asked


def checked(
    execution: AgentExecution,
    review: AgentReview,
    person: User,
    seen_digest: str,
    reason: str,
    *,
    own_work: bool,
) -> str:
    """Raise what forbids this person's vote on this review now; return the reason, cleaned."""
    rights.check_permitted(person, review.tool_name)
    if own_work and person.pk == (execution.launched_by_id or execution.user_id):
        raise NotPermitted("You launched this execution; somebody else must approve its actions.")
    if own_work and review.call.reviews.filter(edited_by=person).exists():
        raise NotPermitted("You edited these arguments; somebody else must approve them.")
    rights.check_open(review)
    mine = review.votes.filter(voter=person).first()
    if mine:
        raise AlreadyDecided(f"You said {mine.vote} at {mine.created_at:%H:%M:%S} UTC already.")
    if seen_digest != review.input_digest:
        raise Stale("The arguments are not those you were shown; look again, then decide.")
    return storable.text(reason.strip(), limit=REASON_CHARS)


def cast(review: AgentReview, person: User, vote: str, reason: str) -> None:
    rows.act_as(person)
    tool = TOOLS.get(review.tool_name)
    AgentReviewVote.objects.create(
        review=review,
        voter=person,
        vote=vote,
        reason=reason,
        input_digest=review.input_digest,
        tool_version=tool.fingerprint if tool else None,
    )
    rows.end_claim(review.pk, person)


def closed(review: AgentReview, status: ReviewStatus) -> Decided:
    resumed = rows.wake(review.execution_id)
    return Decided(review, status, votes_missing=0, resumed=resumed)

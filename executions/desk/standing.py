"""What a person may do about a review, and if not, why, and who can."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.utils import timezone

from agentops.accounts.models import User
from executions import permissions
from executions.core.states import ReviewStatus
from executions.models import AgentReview, AgentReviewVote

NAMED = 5


@dataclass(frozen=True, kw_only=True)
class Standing:
    """`others` are people who may still approve, at most NAMED of them. `may_cancel`: the whole
    execution, with whatever else waits in it. `may_withdraw`: the vote that is `mine`, of which
    nothing has followed. `votes` and `mine` are of those that stand."""

    may_approve: bool = False
    may_reject: bool = False
    why_not: str = ""
    votes: list[AgentReviewVote] = field(default_factory=list)
    others: list[User] = field(default_factory=list)
    mine: AgentReviewVote | None = None
    may_withdraw: bool = False
    may_cancel: bool = False
    is_late: bool = False

    @property
    def approvals(self) -> int:
        return sum(vote.vote == "approve" for vote in self.votes)


def standing_of(person: User, review: AgentReview, versions: Sequence[AgentReview]) -> Standing:
    """Return what this person may do. Only shown: the operation decides when it is done.

    `versions` are all of the call's reviews, with their votes.
    """
    cast = next(list(one.votes.all()) for one in versions if one.pk == review.pk)
    votes = [vote for vote in cast if vote.withdrawn_at is None]
    mine = next((vote for vote in votes if vote.voter_id == person.pk), None)
    execution = review.execution
    launcher = execution.launched_by_id or execution.user_id
    editors = {one.edited_by_id for one in versions if one.edited_by_id}
    may_cancel = person.has_perm(permissions.CANCEL) and not execution.is_final
    if review.status != ReviewStatus.OPEN:
        return Standing(votes=votes, mine=mine)
    if review.expires_at and review.expires_at <= timezone.now():
        told = "It expired; nobody can decide any more."
        return Standing(votes=votes, mine=mine, why_not=told, is_late=True, may_cancel=may_cancel)
    barred = {launcher, *editors, *(vote.voter_id for vote in votes)}
    why_not = ""
    if mine:
        why_not = "You have voted; somebody else must approve, too."
        why_not += " Until then you can withdraw your vote."
    elif execution.is_final:
        why_not = f"The execution is {execution.status}, so this cannot run any more."
    elif person.pk == launcher:
        why_not = "You launched this execution, so somebody else must approve. You may reject."
    elif person.pk in editors:
        why_not = "You edited these arguments, so somebody else must approve. You may reject."
    return Standing(
        may_approve=not why_not,
        may_reject=mine is None,
        why_not=why_not,
        votes=votes,
        mine=mine,
        may_withdraw=mine is not None and mine.vote == "approve",
        may_cancel=may_cancel,
        others=able(review, barred=barred | {person.pk}),
    )


def able(review: AgentReview, *, barred: Collection[UUID] = ()) -> list[User]:
    """Return people with the right to decide on the review's tool, at most NAMED of them."""
    found = User.objects.with_perm(permissions.approve(review.tool_name))
    return list(found.filter(is_service=False).exclude(pk__in=barred).order_by("username")[:NAMED])

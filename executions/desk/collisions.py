"""Why a decision was not taken, told from what is true now: what happened, by whom, when, whether
anything was done, and what one can do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from agentops.accounts.models import User
from executions.core.states import CallStatus, ExecutionStatus, ReviewStatus
from executions.desk.outcome import done_in_words
from executions.desk.standing import Standing
from executions.models import AgentReview, AgentReviewVote
from executions.operations.refusals import (
    AlreadyDecided,
    AlreadyFinal,
    NotPermitted,
    Refusal,
    ReviewClosed,
    Stale,
    TooLate,
)
from executions.pages.sentences import why as stopped_because
from executions.templatetags import words
from executions.templatetags.show import named

MEANWHILE = (AlreadyDecided, AlreadyFinal, ReviewClosed, Stale, TooLate)


@dataclass(frozen=True, kw_only=True)
class Collision:
    """`what` happened `at` a moment, in whose `words`; `done`: whether anything was; `todo`: what
    to do now. Parts that say nothing are empty."""

    what: str
    at: datetime | None = None
    ago: str = ""
    words: str = ""
    done: str = ""
    todo: str = ""


def collision(
    error: Refusal, person: User, review: AgentReview, standing: Standing, *, has_next: bool
) -> Collision:
    """Return a refusal in words. `review` and `standing` are read after it."""
    if isinstance(error, NotPermitted):
        return Collision(what=str(error), done=_done(review), todo=who_can(standing.others))
    if not isinstance(error, MEANWHILE):
        return Collision(what=str(error), done=_done(review))
    what, at, said = _what(error, person, review, standing)
    return Collision(
        what=what,
        at=at,
        ago=words.ago(timezone.now() - at) if at else "",
        words=said,
        done=_done(review),
        todo=_todo(review, standing, has_next=has_next),
    )


def who_can(people: Sequence[User]) -> str:
    if not people:
        return "Nobody else has the right and is free to vote."
    return f"Who can: {', '.join(named(one) for one in people)}."


def _what(
    error: Refusal, person: User, review: AgentReview, standing: Standing
) -> tuple[str, datetime | None, str]:
    """Return what happened, when, and in whose words."""
    execution = review.execution
    if isinstance(error, Stale | TooLate):
        return str(error), None, ""
    if standing.mine and review.status == ReviewStatus.OPEN:
        mine = standing.mine
        return f"You {words.DID_THIS[mine.vote]}", mine.created_at, mine.reason
    last = _last(standing.votes, review)
    if last:
        who = "You" if last.voter_id == person.pk else named(last.voter)
        return f"{who} {words.DID_THIS[last.vote]}", last.created_at, last.reason
    if execution.status == ExecutionStatus.CANCELLED:
        return "The execution was cancelled", execution.completed_at, stopped_because(execution)
    if execution.is_final:
        return f"The execution {execution.status}", execution.completed_at, ""
    if review.status == ReviewStatus.EXPIRED or standing.is_late:
        return "This expired before enough people decided", review.expires_at, ""
    return str(error), None, ""


def _last(votes: list[AgentReviewVote], review: AgentReview) -> AgentReviewVote | None:
    """Return the vote that decided the review, if one did."""
    decided = review.status in (ReviewStatus.APPROVED, ReviewStatus.REJECTED)
    return votes[-1] if votes and decided else None


def _done(review: AgentReview) -> str:
    """Return whether anything was done of the call."""
    match review.call.status:
        case CallStatus.APPROVED:
            left = (review.effective_at - timezone.now()) if review.effective_at else None
            when = "as soon as a runner takes it up"
            if left and left.total_seconds() > 0:
                when = f"in {words.duration(left.total_seconds() * 1000)}"
            return f"Nothing of it was done yet; it starts {when}."
        case CallStatus.RUNNING:
            return "It is being done right now."
        case CallStatus.SUCCEEDED:
            return f"It was done. {done_in_words(review)}".strip()
        case CallStatus.FAILED:
            return "It was tried and failed."
        case CallStatus.IN_DOUBT:
            return "Nobody knows whether it was done."
    return "Nothing of it was done."


def _todo(review: AgentReview, standing: Standing, *, has_next: bool) -> str:
    mine = standing.mine
    is_undoable = review.effective_at is not None and review.effective_at > timezone.now()
    if mine and mine.vote == "approve" and is_undoable and review.call.status == "approved":
        return "You can take it back below until it starts."
    if standing.may_reject:
        return "Look at what stands below now, then decide anew."
    if review.call.status == CallStatus.APPROVED and is_undoable:
        return "Whoever approved it can take it back until then; the execution can be cancelled."
    if review.call.status == CallStatus.APPROVED:
        return "Until it starts, cancelling the execution keeps it from happening."
    if standing.mine and review.status == ReviewStatus.OPEN:
        return "Withdraw your vote below to decide anew; else somebody else's decides now."
    is_over = review.status in (ReviewStatus.EXPIRED, ReviewStatus.REJECTED)
    if is_over and not review.execution.is_final:
        return "If the agent still wants it, it proposes it anew, and that comes to the desk."
    return "There is nothing left to do here; go on with the next one." if has_next else ""

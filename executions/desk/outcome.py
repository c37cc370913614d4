"""What became of a review: the sentence that greets the person who decided, until it is over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from executions.core.states import CallStatus, ExecutionStatus, ReviewKind, ReviewStatus
from executions.desk.standing import Standing
from executions.models import AgentReview
from executions.pages.sentences import why as stopped_because
from executions.templatetags import words

FOLLOWED_FOR = timedelta(seconds=30)
LOOK_AGAIN_S, UNDO_LOOK_S = 2, 5


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """`tone` good, warn, bad or empty. After `look_again_s` (0: never) the page loads itself
    again. Before `undo_until` the approval can be taken back."""

    tone: str
    sentence: str
    detail: str = ""
    look_again_s: int = 0
    undo_until: datetime | None = None


def outcome_of(review: AgentReview, standing: Standing) -> Outcome | None:
    """Return what became of the review; None while it waits for this person."""
    if review.status == ReviewStatus.OPEN:
        return _still_open(review, standing)
    if review.status == ReviewStatus.REJECTED:
        return _rejected(review, standing)
    if review.status == ReviewStatus.APPROVED:
        return _undoable(review, standing) or _approved(review)
    if review.execution.status == ExecutionStatus.CANCELLED and review.status == ReviewStatus.VOID:
        return Outcome(
            tone="",
            sentence="The execution is cancelled. This was not done.",
            detail=stopped_because(review.execution),
        )
    if review.status == ReviewStatus.EXPIRED:
        return Outcome(
            tone="warn",
            sentence="It expired before enough people decided.",
            detail="Nothing was done; the agent was told.",
        )
    return Outcome(
        tone="",
        sentence="It is void.",
        detail="A newer version replaced it, or the execution ended.",
    )


def _still_open(review: AgentReview, standing: Standing) -> Outcome | None:
    if standing.mine is None:
        return None
    missing = words.count(review.required_votes - standing.approvals, "vote")
    return Outcome(
        tone="good",
        sentence=f"Your vote counts: {standing.approvals} of {review.required_votes}.",
        detail=f"{missing} by somebody else is still missing; nothing happens before.",
    )


def _rejected(review: AgentReview, standing: Standing) -> Outcome:
    last = standing.votes[-1] if standing.votes else None
    if review.kind == ReviewKind.DOUBT:
        happened = last is not None and last.vote == "happened"
        sentence = "Settled: it happened." if happened else "Settled: it was dropped."
        return Outcome(tone="good", sentence=sentence, detail="The agent is told and goes on.")
    if last is not None and last.vote == "ask":
        return Outcome(
            tone="good",
            sentence="The agent was asked. Nothing was done.",
            detail="It answers in its next step; if it proposes this again, that is a new review.",
        )
    if review.execution.status == ExecutionStatus.CANCELLED:
        return Outcome(
            tone="good",
            sentence="Rejected, and the execution is stopped. Nothing was done.",
            detail=stopped_because(review.execution),
        )
    return Outcome(
        tone="good",
        sentence="Rejected. Nothing was done.",
        detail="The agent is told why and goes on from there.",
    )


def _undoable(review: AgentReview, standing: Standing) -> Outcome | None:
    """Return how long the approval can be taken back, while it can."""
    left = (review.effective_at - timezone.now()) if review.effective_at else timedelta(0)
    if left <= timedelta(0) or review.call.status != CallStatus.APPROVED:
        return None
    seconds = max(round(left.total_seconds()), 1)
    is_mine = standing.mine is not None and standing.mine.vote == "approve"
    return Outcome(
        tone="good",
        sentence=f"Approved. It starts in {seconds} s.",
        detail="Until then it can be taken back." if is_mine else "",
        look_again_s=min(UNDO_LOOK_S, seconds + 1),
        undo_until=review.effective_at if is_mine else None,
    )


def _approved(review: AgentReview) -> Outcome:
    call = review.call
    since = max(filter(None, (review.decided_at, review.effective_at)), default=None)
    again = LOOK_AGAIN_S if since and timezone.now() - since < FOLLOWED_FOR else 0
    match call.status:
        case CallStatus.APPROVED:
            told = "It runs as soon as the other reviews of this step are decided."
            if not review.execution.open_reviews:
                told = "It runs as soon as a runner takes it up."
            return Outcome(tone="good", sentence="Approved.", detail=told, look_again_s=again)
        case CallStatus.RUNNING:
            return Outcome(tone="good", sentence="Approved; it is running now.", look_again_s=again)
        case CallStatus.SUCCEEDED:
            return Outcome(tone="good", sentence="Approved, and done.")
        case CallStatus.FAILED:
            told = "The tool said no, the agent was told. See the error below."
            return Outcome(tone="bad", sentence="Approved, but it failed.", detail=told)
        case CallStatus.IN_DOUBT:
            told = "A person has to find out; a review of its own asks for it."
            return Outcome(
                tone="bad", sentence="Approved, but nobody knows whether it happened.", detail=told
            )
    return Outcome(tone="", sentence=f"Approved; the call is {call.status.replace('_', ' ')} now.")

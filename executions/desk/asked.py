"""What people asked about, or rejected, earlier in this execution, and what the agent answered."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from agentops.accounts.models import User
from executions.models import AgentReview, AgentReviewVote, AgentStep

SHOWN = 5
_SAID = ("ask", "reject")


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """`vote` is ask or reject, `words` the person's, `answer` the agent's own, unverified: what it
    said in the step after it had heard; empty when it said nothing."""

    vote: str
    by: User
    at: datetime
    words: str
    answer: str


def earlier_exchanges(review: AgentReview, others: Iterable[AgentReview]) -> list[Exchange]:
    """Return the latest of them about the same tool before this call, oldest first. `others` are
    the execution's other reviews with their votes."""
    if not any(vote.vote in _SAID for one in others for vote in one.votes.all()):
        return []
    votes = AgentReviewVote.objects.filter(
        review__execution=review.execution_id,
        review__tool_name=review.tool_name,
        review__call__step_number__lt=review.call.step_number,
        vote__in=_SAID,
    )
    rows = votes.select_related("voter", "review__call").order_by("-created_at")[:SHOWN]
    found = [(vote, vote.review.call.step_number + 1) for vote in reversed(rows)]
    texts = _texts(review, [heard for _, heard in found])
    return [
        Exchange(
            vote=vote.vote,
            by=vote.voter,
            at=vote.created_at,
            words=vote.reason,
            answer=texts.get(heard, ""),
        )
        for vote, heard in found
    ]


def _texts(review: AgentReview, steps: list[int]) -> dict[int, str]:
    """Return what the agent said in these steps of the review's execution."""
    if not steps:
        return {}
    rows = AgentStep.objects.filter(execution=review.execution_id, step_number__in=steps)
    said = rows.values_list("step_number", "response__text")
    return {number: text for number, text in said if isinstance(text, str)}

"""What was decided today, by one person and by all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from django.db.models import Count, QuerySet
from django.utils import timezone

from agentops.accounts.models import User
from executions.core.states import ExecutionStatus
from executions.models import AgentExecution, AgentReview, AgentReviewVote
from executions.pages.rights import decidable_tools
from executions.pages.wording import action

LAST = 5
SAID = {
    "approve": "approved",
    "reject": "rejected",
    "ask": "asked about",
    "happened": "settled as happened",
    "drop": "dropped",
}


@dataclass(frozen=True, kw_only=True)
class Decision:
    """One vote, and the action it was about in words."""

    vote: AgentReviewVote
    said: str
    headline: str


@dataclass(frozen=True, kw_only=True)
class Quiet:
    """What an empty list tells in place of rows."""

    last: list[Decision]
    working: int
    everybody: str


def midnight(now: datetime) -> datetime:
    """Return when the reader's day began; where clocks went back over it, the first of the two."""
    local = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    return local.astimezone(UTC)


def my_day(person: User) -> str:
    """Return how many reviews the person decided today, and how."""
    since = midnight(timezone.now())
    counts = _counts(AgentReviewVote.objects.filter(voter=person, created_at__gte=since))
    edited = AgentReview.objects.filter(edited_by=person, created_at__gte=since).count()
    told = f"You decided {sum(counts.values()) or 'nothing'} today{_how(counts)}"
    return f"{told}; you edited {edited:,}." if edited else f"{told}."


def quiet(person: User) -> Quiet:
    """Return what happened last with the tools on which the person decides."""
    votes = AgentReviewVote.objects.filter(review__tool_name__in=decidable_tools(person))
    counts = _counts(votes.filter(created_at__gte=midnight(timezone.now())))
    recent = votes.select_related("voter", "review__call").order_by("-created_at")[:LAST]
    return Quiet(
        last=[_decision(vote) for vote in recent],
        working=AgentExecution.objects.filter(status=ExecutionStatus.RUNNING).count(),
        everybody=f"{sum(counts.values()):,} decided today{_how(counts)}." if counts else "",
    )


def _decision(vote: AgentReviewVote) -> Decision:
    call = vote.review.call
    said = action(call.tool_name, call.tool_input)
    return Decision(vote=vote, said=SAID[vote.vote], headline=said.headline)


def _counts(votes: QuerySet[AgentReviewVote]) -> dict[str, int]:
    return dict(votes.values_list("vote").annotate(n=Count("pk")))


def _how(counts: dict[str, int]) -> str:
    """Return ": 9 approved, 2 rejected"."""
    parts = [f"{counts[vote]:,} {said}" for vote, said in SAID.items() if vote in counts]
    return f": {', '.join(parts)}" if parts else ""

"""The versions of one call's review: what each showed, and which one counts now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from agentops.accounts.models import User
from executions.core.states import ReviewKind, ReviewStatus
from executions.desk.differences import Difference, differences
from executions.models import AgentReview
from executions.pages.story import reviews_by_call


@dataclass(frozen=True, kw_only=True)
class Replaced:
    """What became of the version a person was shown: `newer` counts now, and differs so."""

    older: AgentReview
    newer: AgentReview
    changes: list[Difference]


def shown_by(review: AgentReview) -> Any:
    """Return the arguments that this version put before people."""
    earlier = AgentReview.objects.filter(call=review.call_id, version__lte=review.version)
    edit = earlier.exclude(edited_input=None).order_by("-version").first()
    return edit.edited_input if edit else review.call.proposed_input


def versions_of(review: AgentReview) -> list[AgentReview]:
    """Return all versions of this call's review with their votes, oldest first."""
    return reviews_by_call(review.execution_id)[review.call_id]


def rule_of(versions: Sequence[AgentReview]) -> str:
    """Return why the call was put before people at first; empty when only its doubt was."""
    first = versions[0]
    return "" if first.kind == ReviewKind.DOUBT else first.reason


def who_took_back(review: AgentReview, versions: Sequence[AgentReview]) -> User | None:
    """Return who took the approval of this version back, and made it void by that."""
    closed = review.decided_at
    votes = next(one.votes.all() for one in versions if one.pk == review.pk)
    since = ((vote.voter, vote.withdrawn_at) for vote in votes)
    return next((voter for voter, at in since if at and closed and at >= closed), None)


def newer_than(review: AgentReview, versions: Sequence[AgentReview]) -> AgentReview | None:
    """Return the newest of the call's versions, unless it is this one."""
    return versions[-1] if versions[-1].version > review.version else None


def replaced(review: AgentReview) -> Replaced | None:
    """Return what replaced this version, if people may decide on that now."""
    newer = newer_than(review, versions_of(review))
    if newer is None or newer.status != ReviewStatus.OPEN:
        return None
    return Replaced(
        older=review, newer=newer, changes=differences(shown_by(review), shown_by(newer))
    )

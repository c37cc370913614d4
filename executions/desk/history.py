"""How a call came to where it is: its versions, what an edit changed, who voted what and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from executions.desk.differences import Difference, differences
from executions.models import AgentReview


@dataclass(frozen=True, kw_only=True)
class Version:
    """One version of a call's review. `changes` are those of a person's edit."""

    review: AgentReview
    changes: list[Difference]


def history_of(review: AgentReview, versions: Sequence[AgentReview]) -> list[Version]:
    """Return the versions of a review's call, oldest first; none when there is only this one, and
    no vote on it was withdrawn."""
    is_withdrawn = any(vote.withdrawn_at for vote in versions[0].votes.all())
    if len(versions) == 1 and not is_withdrawn:
        return []
    found, before = [], review.call.proposed_input
    if before is None:
        before = review.call.tool_input
    for one in versions:
        edited = one.edited_input
        changes = differences(before, edited) if edited is not None else []
        found.append(Version(review=one, changes=changes))
        before = edited if edited is not None else before
    return found

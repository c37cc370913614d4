"""What must still be true at the moment a call starts; looked at in a tool thread."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel

from executions import permissions
from executions.models import AgentReviewVote
from tools.base import Tool


def objection(
    tool: Tool, parsed: BaseModel, review_id: UUID | None, approved_version: str | None
) -> str | None:
    """Return why the call may not start as it was approved, or None.

    Raises ToolError when the call cannot succeed at all any more.
    """
    if review_id is not None and (lapsed := _lapsed_voter(tool, review_id)):
        return f"The approval by {lapsed} no longer counts: the right to approve was withdrawn."
    target = tool.look(parsed)
    if approved_version is not None and target and target.version != approved_version:
        return f"{target.label} changed after the approval; look again."
    return None


def _lapsed_voter(tool: Tool, review_id: UUID) -> str | None:
    """Return the name of an approver who could not approve now."""
    votes = AgentReviewVote.objects.filter(review_id=review_id, vote="approve")
    for vote in votes.select_related("voter"):
        if not vote.voter.is_active or not vote.voter.has_perm(permissions.approve(tool.name)):
            return str(vote.voter)
    return None

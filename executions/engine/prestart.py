"""What must still be true at the moment a call starts; looked at in a tool thread."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel

from executions import permissions
from executions.core import policy
from executions.engine.driven import Driven, HeldCall
from executions.engine.proposing import rule_of
from executions.models import AgentReviewVote
from tools.base import Tool, ToolError


def check_same_kind(one: Driven, tool: Tool, call: HeldCall, parsed: BaseModel) -> None:
    """Raise ToolError when the code has changed since the call was asked for, in such a way that
    it would run as something nobody looked at."""
    if tool.effect.value != call.effect:
        raise ToolError(f"{tool.name} works in another way by now; nothing was run, ask again")
    if call.gated:
        return
    verdict = policy.verdict(rule_of(one, tool, parsed))
    if isinstance(verdict, policy.NeedsApproval):
        raise ToolError(f"{tool.name} needs approval by now; nothing was run, ask for it again")


def objection(
    tool: Tool, parsed: BaseModel, review_id: UUID | None, approved_version: str | None, needed: int
) -> str | None:
    """Return why the call may not start as it was approved, or None. `needed`: votes, by now.

    Raises ToolError when the call cannot succeed at all any more.
    """
    if review_id is not None and (lapsed := _lapsed(tool, review_id, needed)):
        return lapsed
    target = tool.look(parsed)
    if approved_version is not None and target and target.version != approved_version:
        return f"{target.label} changed after the approval; look again."
    return None


def _lapsed(tool: Tool, review_id: UUID, needed: int) -> str | None:
    """Return why the votes do not count any more, or are too few by now."""
    votes = AgentReviewVote.objects.filter(review_id=review_id, vote="approve")
    for vote in votes.select_related("voter", "review"):
        if not vote.voter.is_active or not vote.voter.has_perm(permissions.approve(tool.name)):
            why = "the right to approve was withdrawn"
            return f"The approval by {vote.voter} no longer counts: {why}."
        if vote.tool_version != tool.fingerprint:
            return f"{tool.name} has changed since {vote.voter} approved this; look again."
        if vote.review.required_votes < needed:
            return f"{tool.name} needs {needed} people by now."
    return None

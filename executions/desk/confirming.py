"""The last look before an approval: what it repeats, and what must be typed."""

from __future__ import annotations

from executions.core.states import ReviewStatus
from executions.models import AgentReview
from executions.operations.refusals import Refusal
from executions.pages.wording import action
from tools.base import ToolError
from tools.decisions import USUAL_REASONS, Confirmation
from tools.registry import TOOLS


class NotConfirmed(Refusal):
    """What has to be typed before so grave an approval was not typed."""


def confirmation_of(review: AgentReview) -> Confirmation:
    """Return what the tool repeats of these exact arguments, as things stand now. Nothing when it
    cannot: then the call could not start either, and the page says why."""
    said = action(review.tool_name, review.call.tool_input)
    if said.tool is None or said.tool.confirm is None or said.arguments is None:
        return Confirmation()
    try:
        return said.tool.confirm(said.arguments)
    except ToolError:
        return Confirmation()


def reasons_of(review: AgentReview) -> tuple[str, ...]:
    """Return what a rejection of this tool's calls offers to say."""
    tool = TOOLS.get(review.tool_name)
    return tool.reasons if tool else USUAL_REASONS


def check_typed(review: AgentReview, typed: str, *, seen_digest: str) -> None:
    """Raise NotConfirmed unless what must be typed was typed; case and spaces do not count.

    What was decided meanwhile, or has other arguments by now, is left to whoever tells that.
    """
    is_current = review.status == ReviewStatus.OPEN and seen_digest == review.input_digest
    wanted = confirmation_of(review).typed if is_current else ""
    if wanted and _plain(typed) != _plain(wanted):
        raise NotConfirmed(f"This is for real. To approve it, type exactly: {wanted}")


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()

"""Withdraw: take one's approval back while nothing follows from it yet."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models.functions import Now

from agentops.accounts.models import User
from executions.commits import commit
from executions.core import storable
from executions.core.states import CallStatus, ReviewKind, ReviewStatus
from executions.models import AgentReview, AgentReviewVote
from executions.operations import rights, rows
from executions.operations.patience import patient
from executions.operations.refusals import AlreadyDecided, NotPermitted, Refusal, TooLate
from executions.operations.voting import once_more
from tools.base import Tool
from tools.registry import TOOLS

REASON_CHARS = 1000


def undo_s(tool: Tool | None) -> int:
    """Return for how many seconds after its approval a call of this tool waits."""
    if tool is None or not tool.approval.undo_s:
        return 0
    own: int | None = settings.AGENTOPS_UNDO_S
    return tool.approval.undo_s if own is None else own


def undo_window(review: AgentReview) -> dict[str, Any]:
    """Return what a review's approval adds to its row: when its call may start."""
    seconds = undo_s(TOOLS.get(review.tool_name)) if review.kind == ReviewKind.APPROVAL else 0
    return {"effective_at": rows.in_future(timedelta(seconds=seconds))} if seconds else {}


@once_more
@patient
def withdraw(*, review_id: UUID, person: User, reason: str = "") -> AgentReview:
    """Take an approval back; return the review that asks people from then on.

    While the review is open it stays so, with a vote less, and the person may vote anew. Approved
    and before `effective_at`, it becomes void, and the next version tells why (`reason`). Only who
    approved may, and only before the call started. Raises TooLate, AlreadyDecided, ReviewClosed,
    NotPermitted, NotFound.
    """
    with commit("withdraw"):
        execution, review = rows.locked_review(review_id)
        rights.check_permitted(person, review.tool_name)
        mine = review.votes.filter(voter=person, vote="approve")
        if not mine.exists():
            raise _not_theirs(review, person)
        rows.act_as(person)
        if review.status == ReviewStatus.OPEN:
            rights.check_open(review)  # it may have expired
            mine.update(withdrawn_at=Now())
            return review
        if review.status != ReviewStatus.APPROVED:
            raise TooLate(f"There is nothing to take back: the review is {review.status}.")
        if review.effective_at is None:
            raise TooLate("Enough people had approved it by then; it starts, or has started.")
        in_window = AgentReview.objects.filter(pk=review.pk, effective_at__gt=Now())
        if review.call.status != CallStatus.APPROVED or not in_window.exists():
            raise TooLate("The time to take it back is over; the call starts or has started.")
        rows.move_review(review, ReviewStatus.VOID)
        mine.update(withdrawn_at=Now())
        why = f": {reason.strip()}" if reason.strip() else "."
        newer = rows.next_version(
            review,
            reason=storable.text(f"{person} took the approval back{why}", limit=REASON_CHARS),
        )
        rows.move_call(review.call_id, CallStatus.AWAITING_REVIEW, review_id=newer.pk)
        rows.stir(execution.pk)
        return newer


def _not_theirs(review: AgentReview, person: User) -> Refusal:
    """Return why somebody without an approval that stands has nothing to take back."""
    withdrawn = AgentReviewVote.every.filter(review=review, voter=person)
    last = withdrawn.exclude(withdrawn_at=None).order_by("withdrawn_at").last()
    if last is None:
        return NotPermitted("Only who approved this can take the approval back.")
    return AlreadyDecided(f"You took your vote back at {last.withdrawn_at:%H:%M:%S} UTC already.")

"""Withdraw: take one's approval back while its effect still waits for that."""

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
from executions.models import AgentReview
from executions.operations import rights, rows
from executions.operations.patience import patient
from executions.operations.refusals import NotPermitted, TooLate
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


@patient
def withdraw(*, review_id: UUID, person: User, reason: str = "") -> AgentReview:
    """Take an approval back; return the review that asks people anew.

    Only who approved may, before `effective_at` and before the call started. Raises TooLate,
    NotPermitted, NotFound.
    """
    with commit("withdraw"):
        execution, review = rows.locked_review(review_id)
        rights.check_permitted(person, review.tool_name)
        if not review.votes.filter(voter=person, vote="approve").exists():
            raise NotPermitted("Only who approved this can take the approval back.")
        if review.status == ReviewStatus.OPEN:
            raise TooLate("It is not approved yet, and your vote alone starts nothing; reject it.")
        if review.status != ReviewStatus.APPROVED:
            raise TooLate(f"There is nothing to take back: the review is {review.status}.")
        in_window = AgentReview.objects.filter(pk=review.pk, effective_at__gt=Now())
        if review.call.status != CallStatus.APPROVED or not in_window.exists():
            raise TooLate("The time to take it back is over; the call starts or has started.")
        rows.act_as(person)
        rows.move_review(review, ReviewStatus.VOID)
        why = f": {reason.strip()}" if reason.strip() else "."
        newer = rows.next_version(
            review,
            reason=storable.text(f"{person} took the approval back{why}", limit=REASON_CHARS),
        )
        rows.move_call(review.call_id, CallStatus.AWAITING_REVIEW, review_id=newer.pk)
        rows.stir(execution.pk)
        return newer

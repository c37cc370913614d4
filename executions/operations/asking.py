"""Ask: the agent hears a question in place of an outcome, and may propose its call again."""

from __future__ import annotations

from uuid import UUID

from agentops.accounts.models import User
from executions.commits import commit
from executions.core.states import CallStatus, ReviewKind, ReviewStatus
from executions.operations import rows
from executions.operations.patience import patient
from executions.operations.refusals import ReasonMissing, Refusal
from executions.operations.voting import Decided, cast, checked, closed, once_more


@once_more
@patient
def ask(*, review_id: UUID, person: User, question: str, seen_digest: str) -> Decided:
    """Answer one gated call with a question: it is not executed, and votes on it are over.

    When the agent proposes it again, that is another call with a review of its own. Raises
    AlreadyDecided, ReviewClosed, Stale, NotPermitted, ReasonMissing, NotFound.
    """
    with commit("ask"):
        execution, review = rows.locked_review(review_id)
        if review.kind != ReviewKind.APPROVAL:
            raise Refusal("This call is in doubt: the agent knows no more of it than you do.")
        question = checked(execution, review, person, seen_digest, question, own_work=False)
        if not question:
            raise ReasonMissing("Write what you want to know: the agent answers exactly that.")
        cast(review, person, "ask", question)
        rows.move_review(review, ReviewStatus.REJECTED)
        words = {"by": str(person), "question": question}
        rows.move_call(review.call_id, CallStatus.REJECTED, tool_output=words)
        return closed(review, ReviewStatus.REJECTED)

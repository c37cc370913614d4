"""A review in each state it can be in, for looking at its page."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

from django.db.models import F
from django.db.models.functions import Now

from agentops.accounts.models import User
from executions import operations
from executions.models import AgentReview
from executions.operations.deciding import expire_overdue
from tests import factories
from tests.executions import desk


def every_state(person: User) -> dict[str, AgentReview]:
    """Return one review for each state; `person` has decided on those that are decided."""
    expired, refused, asked, old, cancelled = (
        *(desk.proposed(expires_in=timedelta(seconds=-5)),),
        *(desk.proposed() for _ in range(4)),
    )
    expire_overdue()
    seen = {"person": person, "seen_digest": refused.input_digest}
    operations.decide(review_id=refused.pk, approve=False, reason="It is not filed.", **seen)
    operations.ask(review_id=asked.pk, question="Which report?", **seen)
    edited = operations.edit(
        review_id=old.pk, arguments={**desk.LETTER, "subject": "Your new report"}, **seen
    )
    chief = factories.person("chief", may=["cancel_execution"])
    operations.cancel(execution_id=cancelled.execution_id, person=chief, reason="Not needed.")
    running, done, failed = (_started(person) for _ in range(3))
    output = {"message_id": "<1@agentops.example>", "accepted": desk.LETTER["to"], "refused": []}
    factories.change(done.call, status="succeeded", tool_output=output, finished_at=Now())
    told = {"error": "TOOL_FAILED: The mail server refused it.", "finished_at": Now()}
    factories.change(failed.call, status="failed", **told)
    return {
        "waiting": desk.proposed(),
        "expired": expired,
        "refused": refused,
        "asked": asked,
        "void": old,
        "edited": edited,
        "cancelled": cancelled,
        "running": running,
        "done": done,
        "failed": failed,
        "doubt": desk.in_doubt(person),
    }


def _started(person: User) -> AgentReview:
    review = desk.proposed()
    call = factories.approve(review, person)
    factories.change(review.execution, status="pending")
    token = F("lease_token") + 1
    factories.change(review.execution, status="running", lease_owner=uuid4(), lease_token=token)
    factories.start(call)
    return review

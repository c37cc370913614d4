"""Rows for tests, made the way the journal and people make them, so that every guard is passed.

An execution that waits for people: `waiting(…)`. One that a runner drives: `running()`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.contrib.auth.models import Permission
from django.db.models import F
from django.db.models.functions import Now

from agentops.accounts.models import SYSTEM_USERNAME, User
from executions.core import idempotency
from executions.models import AgentExecution, AgentReview, AgentReviewVote, AgentToolCall

Row = AgentExecution | AgentToolCall | AgentReview
LETTER = {"to": ["ana@example.org"], "subject": "Your report", "body": "It is filed."}


def person(name: str, *, may: Sequence[str] = (), **fields: Any) -> User:
    """A user with these permissions by codename; `approve_*` means all of those."""
    user = User.objects.create(username=name, **fields)
    for codename in may:
        pattern = codename.replace("*", "")
        user.user_permissions.add(*Permission.objects.filter(codename__startswith=pattern))
    return user


def reviewer(name: str) -> User:
    return person(name, may=["approve_*"])


def system() -> User:
    """The service user, which launches what nobody in particular launched."""
    return User.objects.get(username=SYSTEM_USERNAME)


def execution(**columns: Any) -> AgentExecution:
    """A pending execution of the service user."""
    given: dict[str, Any] = {"agent_type": "rehearsed", "input_data": {}, **columns}
    if "user" not in given:
        given["user"] = system()
    return fresh(AgentExecution.objects.create(**given))


def running(**columns: Any) -> AgentExecution:
    """An execution under some runner's lease, at its first step."""
    one = execution(**columns)
    change(one, status="running", lease_owner=uuid4(), lease_token=F("lease_token") + 1)
    change(one, step_count=1)
    return one


def call(of: AgentExecution, **columns: Any) -> AgentToolCall:
    """A call of the current step; a `send_email` that nobody has been asked about yet."""
    given: dict[str, Any] = {
        "tool_name": "send_email",
        "tool_input": LETTER,
        "effect": "once",
        "step_number": of.step_count,
        "call_index": of.tool_calls.count(),
        "provider_call_id": f"call_{of.step_count}_{of.tool_calls.count()}",
        **columns,
    }
    return fresh(AgentToolCall.objects.create(execution=of, **given))


def gated(
    of: AgentExecution,
    *,
    votes: int = 1,
    expires_in: timedelta | None = timedelta(days=7),
    effective_at: datetime | None = None,
    **columns: Any,
) -> AgentReview:
    """A gated call that waits for people, with its open review, which is returned."""
    key = uuid4()
    made = call(of, **{"gated": True, "status": "awaiting_review", "review_id": key, **columns})
    review = AgentReview.objects.create(
        id=key,
        call=made,
        execution=of,
        tool_name=made.tool_name,
        input_digest=made.input_digest,
        required_votes=votes,
        target_version=made.target_version,
        expires_at=expires_in and Now() + expires_in,
        effective_at=effective_at,
    )
    change(of, open_reviews=F("open_reviews") + 1)
    return fresh(review)


def waiting(*, reviews: int = 1, votes: int = 1, **columns: Any) -> AgentExecution:
    """An execution that a runner has let go: so many gated letters wait for people."""
    one = running(**columns)
    for number in range(reviews):
        gated(one, votes=votes, tool_input={**LETTER, "subject": f"Letter {number + 1}"})
    change(one, status="awaiting_review", lease_owner=None)
    return one


def vote(on: AgentReview, by: User, say: str = "approve") -> AgentReviewVote:
    return AgentReviewVote.objects.create(
        review=on, voter=by, vote=say, input_digest=on.input_digest, reason="because"
    )


def approve(review: AgentReview, *people: User) -> AgentToolCall:
    """Approve with these people's votes; returns the approved call, not started."""
    for one in people:
        vote(review, one)
    change(review, status="approved")
    change(review.call, status="approved")
    change(review.execution, open_reviews=F("open_reviews") - 1)
    return review.call


def start(one: AgentToolCall) -> AgentToolCall:
    """Commit the start, as the journal does."""
    place = {"step_number": one.step_number, "call_index": one.call_index}
    key = idempotency.key(execution_id=str(one.execution_id), **place)
    change(one, status="running", started_at=Now(), idempotency_key=key)
    return one


def doubt(one: AgentToolCall, *, votes: int = 1) -> AgentReview:
    """A started call whose outcome is hidden, with the review that asks people about it."""
    why = "nobody knows"
    change(one, status="in_doubt", error=why)
    review = AgentReview.objects.create(
        call=one,
        execution=one.execution,
        tool_name=one.tool_name,
        input_digest=one.input_digest,
        kind="doubt",
        version=one.reviews.count() + 1,
        required_votes=votes,
        reason=why,
        target_version=one.target_version,
    )
    change(one.execution, open_reviews=F("open_reviews") + 1)
    return fresh(review)


def change(row: Row, **columns: Any) -> None:
    """One UPDATE of exactly these columns, then read back."""
    type(row)._base_manager.filter(pk=row.pk).update(**columns)
    row.refresh_from_db()


def fresh(row: Any) -> Any:
    row.refresh_from_db()
    return row

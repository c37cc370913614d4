"""An approver loses the right after approving: the approval no longer counts at the start."""

from __future__ import annotations

import pytest
from django.core.mail import EmailMessage

from agentops.accounts.models import User
from executions.models import AgentReview
from tests.faults.reviewing import (
    approve,
    assert_no_promise_is_broken,
    drive,
    letter_before_people,
)
from tests.rehearsal_server import RehearsalServer


@pytest.mark.parametrize("loses", ["the right", "the account"])
def test_an_approval_by_somebody_who_may_not_any_more_starts_nothing(
    llm: RehearsalServer, reviewers: list[User], mailoutbox: list[EmailMessage], loses: str
) -> None:
    """R9: between the approval and the start: held, and put before people anew."""
    rita, omar = reviewers
    review = approve(letter_before_people(llm), rita)
    if loses == "the right":
        rita.user_permissions.clear()
    else:
        User.objects.filter(pk=rita.pk).update(is_active=False)
    execution = drive(llm, review.execution)
    assert (execution.status, mailoutbox) == ("awaiting_review", [])
    newer = AgentReview.objects.open().get(execution=execution)
    assert newer.version == 2
    assert "The approval by rita no longer counts" in newer.reason
    approve(newer, omar)
    assert drive(llm, execution).status == "completed"
    assert len(mailoutbox) == 1
    assert_no_promise_is_broken()

"""An approval in its undo window: nothing starts, nothing is held, and it can be taken back."""

from __future__ import annotations

import pytest
from django.core.mail import EmailMessage
from django.utils import timezone
from pytest_django import Settings

from agentops.accounts.models import User
from executions import operations
from executions.models import AgentReview
from executions.operations.refusals import AlreadyDecided
from tests.faults.reviewing import (
    approve,
    assert_no_promise_is_broken,
    drive,
    letter_before_people,
    shift_window,
)
from tests.journeys.conftest import launch, until
from tests.rehearsal_server import RehearsalServer
from tests.support.rehearsed_agent import LETTER, REHEARSED, calls, text
from tests.support.standing_runner import standing_runner


@pytest.fixture(autouse=True)
def _window(settings: Settings) -> None:
    settings.AGENTOPS_UNDO_S = None


def test_nothing_starts_and_nobody_is_held_before_the_window_closes(
    llm: RehearsalServer, reviewers: list[User], mailoutbox: list[EmailMessage]
) -> None:
    """R4: approve then reject: the first is final, undo only inside the window."""
    review = approve(letter_before_people(llm), reviewers[0])
    execution = drive(llm, review.execution)
    assert (execution.status, execution.lease_owner) == ("pending", None)
    assert abs((execution.wake_at - review.effective_at).total_seconds()) < 1  # type: ignore[operator]
    assert review.effective_at > timezone.now()
    assert mailoutbox == []
    with pytest.raises(AlreadyDecided, match="rita approved this"):
        operations.decide(
            review_id=review.pk, person=reviewers[1], approve=False, reason="no",
            seen_digest=review.input_digest,
        )  # fmt: skip
    shift_window(review, to_s=0)
    assert drive(llm, execution).status == "completed"
    assert len(mailoutbox) == 1
    assert_no_promise_is_broken()


def test_the_mail_leaves_by_itself_once_the_window_has_closed(
    llm: RehearsalServer, reviewers: list[User], mailoutbox: list[EmailMessage], settings: Settings
) -> None:
    """R4: with a real clock, a standing runner and a window of one second."""
    settings.AGENTOPS_UNDO_S = 1
    with standing_runner(base_url=llm.base_url):
        execution = launch(REHEARSED.name, rehearse=[calls(LETTER), text()])
        until(execution, "awaiting_review")
        review = approve(AgentReview.objects.get(execution=execution), reviewers[0])
        until(execution, "completed")
    call = execution.tool_calls.get()
    assert call.started_at >= review.effective_at
    assert len(mailoutbox) == 1
    # it was put back in between, not held: claimed anew once the window had closed
    assert execution.audit.filter(event="running").count() >= 3
    assert_no_promise_is_broken()


def test_what_was_taken_back_is_asked_anew_and_a_rejection_then_is_final(
    llm: RehearsalServer, reviewers: list[User], mailoutbox: list[EmailMessage]
) -> None:
    """R4: undo inside the window, then reject; approving afterwards is refused."""
    rita, omar = reviewers
    review = approve(letter_before_people(llm), rita)
    drive(llm, review.execution)
    newer = operations.withdraw(review_id=review.pk, person=rita)
    assert drive(llm, review.execution).status == "awaiting_review"
    operations.decide(
        review_id=newer.pk, person=rita, approve=False, reason="Wrong year.",
        seen_digest=newer.input_digest,
    )  # fmt: skip
    with pytest.raises(AlreadyDecided, match="rita rejected this"):
        approve(newer, omar)
    with pytest.raises(AlreadyDecided, match="took your vote back at"):
        operations.withdraw(review_id=review.pk, person=rita)
    assert drive(llm, review.execution).status == "completed"
    assert mailoutbox == []
    assert_no_promise_is_broken()


def test_an_edit_runs_once_and_the_agent_hears_of_it(
    llm: RehearsalServer, reviewers: list[User], mailoutbox: list[EmailMessage], settings: Settings
) -> None:
    """R5: what somebody edited and somebody else approved runs; the agent is told not to repeat."""
    settings.AGENTOPS_UNDO_S = 0
    rita, omar = reviewers
    review = letter_before_people(llm)
    edited = {**review.call.tool_input, "subject": "Hello again"}
    newer = operations.edit(
        review_id=review.pk, person=rita, arguments=edited, seen_digest=review.input_digest
    )
    approve(newer, omar)
    assert drive(llm, review.execution).status == "completed"
    assert [letter.subject for letter in mailoutbox] == ["Hello again"]
    heard = llm.log("A person replaced these arguments")
    assert "Hello again" in str(heard[-1]["body"])
    assert "do not repeat the original" in str(heard[-1]["body"])
    assert_no_promise_is_broken()

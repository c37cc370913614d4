"""Withdraw: an approval can be taken back until its undo window closes, not a moment longer."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import F
from django.db.models.functions import Now
from pytest_django import Settings

from agentops.accounts.models import User
from executions.models import AgentReview
from executions.operations import decide, withdraw
from executions.operations.refusals import AlreadyDecided, NotPermitted, TooLate
from tests import factories
from tests.executions import desk

pytestmark = pytest.mark.django_db


@pytest.fixture
def rita(settings: Settings) -> User:
    settings.AGENTOPS_UNDO_S = None
    return factories.reviewer("rita")


def approved(*people: User) -> AgentReview:
    review = desk.proposed(votes=len(people))
    for person in people:
        decide(review_id=review.pk, person=person, approve=True, seen_digest=review.input_digest)
    return factories.fresh(review)


def test_a_mail_waits_for_thirty_seconds_after_its_last_vote(rita: User) -> None:
    review = approved(rita)
    window = AgentReview.objects.filter(pk=review.pk).values_list(
        F("effective_at") - F("decided_at"), flat=True
    )[0]
    assert timedelta(seconds=29) < window < timedelta(seconds=31)
    assert factories.fresh(review.execution).status == "pending"


def test_a_tool_without_a_window_and_a_site_without_one_wait_for_nothing(
    rita: User, settings: Settings
) -> None:
    record = desk.proposed("update_customer_record", desk.CHANGE)
    decide(review_id=record.pk, person=rita, approve=True, seen_digest=record.input_digest)
    assert factories.fresh(record).effective_at is None
    settings.AGENTOPS_UNDO_S = 0
    assert approved(rita).effective_at is None


def test_who_approved_takes_it_back_and_people_are_asked_anew(rita: User) -> None:
    review = approved(rita)
    newer = withdraw(review_id=review.pk, person=rita, reason="Wrong year.")
    assert factories.fresh(review).status == "void"
    assert (newer.status, newer.version) == ("open", 2)
    assert newer.reason == "rita took the approval back: Wrong year."
    call, one = factories.fresh(review.call), factories.fresh(review.execution)
    assert (call.status, call.review_id, call.started_at) == ("awaiting_review", newer.pk, None)
    assert (one.status, one.open_reviews, one.wake_at) == ("pending", 1, None)
    again = decide(
        review_id=newer.pk, person=rita, approve=False, seen_digest=newer.input_digest,
        reason="Wrong year.",
    )  # fmt: skip
    assert again.status == "rejected"


def test_either_of_two_takes_it_back_and_nobody_else(rita: User) -> None:
    omar, dora = factories.reviewer("omar"), factories.reviewer("dora")
    review = approved(rita, omar)
    with pytest.raises(NotPermitted, match="Only who approved"):
        withdraw(review_id=review.pk, person=dora)
    assert withdraw(review_id=review.pk, person=rita).required_votes == 2
    with pytest.raises(TooLate, match="the review is void"):
        withdraw(review_id=review.pk, person=omar)


def test_it_is_too_late_once_the_window_is_over_or_the_call_has_started(rita: User) -> None:
    review = desk.proposed()
    factories.vote(review, rita)
    factories.change(review, effective_at=Now() - timedelta(milliseconds=1), status="approved")
    factories.change(review.call, status="approved")
    with pytest.raises(TooLate, match="time to take it back is over"):
        withdraw(review_id=review.pk, person=rita)
    assert factories.fresh(review).status == "approved"


def test_it_refuses_before_the_approval_and_the_other_way_round(rita: User) -> None:
    review = desk.proposed(votes=2)
    decide(review_id=review.pk, person=rita, approve=True, seen_digest=review.input_digest)
    with pytest.raises(TooLate, match="not approved yet"):
        withdraw(review_id=review.pk, person=rita)
    with pytest.raises(AlreadyDecided):
        decide(
            review_id=review.pk, person=rita, approve=False, seen_digest=review.input_digest,
            reason="no",
        )  # fmt: skip

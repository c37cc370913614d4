"""Withdraw: an approval can be taken back until its undo window closes, not a moment longer."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import F
from django.db.models.functions import Now
from pytest_django import Settings

from agentops.accounts.models import User
from executions.models import AgentReview, AgentReviewVote
from executions.operations import decide, withdraw
from executions.operations.refusals import AlreadyDecided, NotPermitted, ReviewClosed, TooLate
from executions.pages.sentences import event
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
    with pytest.raises(AlreadyDecided, match="took your vote back at"):
        withdraw(review_id=review.pk, person=rita)
    told = [(row.actor, event(row)) for row in review.execution.audit.order_by("seq")]
    assert (rita, "took the approval back: send_email") in told


def test_it_is_too_late_once_the_window_is_over_or_the_call_has_started(rita: User) -> None:
    review = desk.proposed()
    factories.vote(review, rita)
    factories.change(review, effective_at=Now() - timedelta(milliseconds=1), status="approved")
    factories.change(review.call, status="approved")
    with pytest.raises(TooLate, match="time to take it back is over"):
        withdraw(review_id=review.pk, person=rita)
    assert factories.fresh(review).status == "approved"


def votes_of(review: AgentReview) -> list[str]:
    return list(review.votes.order_by("created_at").values_list("voter__username", flat=True))


def test_the_first_of_three_votes_is_withdrawn_and_the_review_stays_open(rita: User) -> None:
    omar, dora = factories.reviewer("omar"), factories.reviewer("dora")
    review = desk.proposed(votes=3)
    for person in (rita, omar):
        decide(review_id=review.pk, person=person, approve=True, seen_digest=review.input_digest)
    assert withdraw(review_id=review.pk, person=rita) == review
    assert (factories.fresh(review).status, votes_of(review)) == ("open", ["omar"])
    call, one = factories.fresh(review.call), factories.fresh(review.execution)
    assert (call.status, one.status, one.open_reviews) == ("awaiting_review", "awaiting_review", 1)
    third = decide(
        review_id=review.pk, person=dora, approve=True, seen_digest=review.input_digest
    )  # fmt: skip
    assert (third.status, third.votes_missing) == ("open", 1)
    told = [(row.actor, event(row)) for row in one.audit.order_by("seq")]
    assert told[-2:] == [
        (rita, "withdrew the vote to approve: send_email"),
        (dora, "voted to approve: send_email"),
    ]


@pytest.mark.parametrize("approve", [True, False])
def test_who_withdrew_may_vote_again_or_reject(rita: User, approve: bool) -> None:
    review, omar = desk.proposed(votes=2), factories.reviewer("omar")
    seen = {"review_id": review.pk, "seen_digest": review.input_digest}
    decide(person=rita, approve=True, **seen)
    with pytest.raises(AlreadyDecided):
        decide(person=rita, approve=False, reason="no", **seen)
    withdraw(review_id=review.pk, person=rita)
    again = decide(person=rita, approve=approve, reason="now", **seen)
    assert (again.status, again.votes_missing) == (("open", 1) if approve else ("rejected", 0))
    assert AgentReviewVote.every.filter(review=review, voter=rita).count() == 2
    if approve:
        assert decide(person=omar, approve=True, **seen).status == "approved"
        assert sorted(votes_of(review)) == ["omar", "rita"]


def test_nobody_withdraws_what_they_did_not_approve_or_what_expired(rita: User) -> None:
    review, omar = desk.proposed(votes=2), factories.reviewer("omar")
    decide(review_id=review.pk, person=rita, approve=True, seen_digest=review.input_digest)
    with pytest.raises(NotPermitted, match="Only who approved"):
        withdraw(review_id=review.pk, person=omar)
    factories.change(review, expires_at=Now())
    with pytest.raises(ReviewClosed, match="expired at"):
        withdraw(review_id=review.pk, person=rita)
    assert votes_of(review) == ["rita"]

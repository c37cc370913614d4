"""Settle: what people say of a call whose outcome a crash hid."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django_q.models import OrmQ

from agentops.accounts.models import User
from executions.models import AgentExecution, AgentReview
from executions.operations import Refusal, cancel, settle
from executions.operations.refusals import (
    AlreadyDecided,
    NotPermitted,
    ReasonMissing,
    ReviewClosed,
    Stale,
)
from executions.operations.voting import Decided
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def rita() -> User:
    return factories.reviewer("rita")


@pytest.fixture
def omar() -> User:
    return factories.reviewer("omar")


def doubted(by: User, *, votes: int = 1, **columns: Any) -> AgentReview:
    """A started call in doubt, its execution waiting for people; returns the doubt's review."""
    execution = factories.running(**columns)
    call = factories.start(factories.approve(factories.gated(execution), by))
    review = factories.doubt(call, votes=votes)
    factories.change(execution, status="awaiting_review", lease_owner=None)
    return review


def settled(review: AgentReview, person: User, verdict: str, **changes: Any) -> Decided:
    given = {"seen_digest": review.input_digest, "reason": "mail log 17", **changes}
    return settle(review_id=review.pk, person=person, verdict=verdict, **given)


def state(review: AgentReview) -> tuple[str, int, str, str]:
    execution = AgentExecution.objects.get(pk=review.execution_id)
    call = execution.tool_calls.get(pk=review.call_id)
    review.refresh_from_db()
    return execution.status, execution.open_reviews, call.status, review.status


def test_it_happened_is_the_calls_success_with_its_reference(rita: User) -> None:
    review = doubted(rita)
    assert settled(review, rita, "happened").resumed
    assert state(review) == ("pending", 0, "succeeded", "rejected")
    call = review.call
    call.refresh_from_db()
    assert call.tool_output == {"settled_by": "rita", "reference": "mail log 17", "happened": "yes"}
    assert call.error is None
    assert OrmQ.objects.filter(key="agents").count() == 1


def test_dropping_it_cancels_the_call_and_tells_why(rita: User) -> None:
    review = doubted(rita)
    assert settled(review, rita, "drop", reason="too late anyway").resumed
    assert state(review) == ("pending", 0, "cancelled", "rejected")
    review.call.refresh_from_db()
    assert review.call.tool_output == {"settled_by": "rita", "reason": "too late anyway"}


def test_running_it_needs_a_new_approval_and_keeps_the_key(rita: User, omar: User) -> None:
    review = doubted(rita, votes=2)
    key = review.call.idempotency_key
    assert settled(review, rita, "run").votes_missing == 1
    assert state(review) == ("awaiting_review", 1, "in_doubt", "open")
    assert settled(review, omar, "run").resumed
    assert state(review) == ("pending", 0, "approved", "approved")
    review.call.refresh_from_db()
    assert (review.call.idempotency_key, review.call.review_id) == (key, review.pk)


def test_what_people_let_run_again_does_start(rita: User) -> None:
    review = doubted(rita)
    settled(review, rita, "run")
    execution = AgentExecution.objects.get(pk=review.execution_id)
    lease = {"lease_owner": factories.uuid4(), "lease_token": execution.lease_token + 1}
    factories.change(execution, status="running", **lease)
    review.call.refresh_from_db()
    factories.change(review.call, status="running")


def test_who_says_it_happened_outweighs_who_would_run_it(rita: User, omar: User) -> None:
    review = doubted(rita, votes=2)
    settled(review, rita, "run")
    settled(review, omar, "happened")
    assert state(review)[2] == "succeeded"


def test_the_launcher_may_not_let_it_run_but_may_say_that_it_happened(rita: User) -> None:
    olga = factories.reviewer("olga")
    review = doubted(rita, user=olga)
    with pytest.raises(NotPermitted, match="You launched this execution"):
        settled(review, olga, "run")
    assert settled(review, olga, "happened").resumed


@pytest.mark.parametrize("verdict", ["happened", "run", "drop"])
def test_it_refuses_who_lacks_the_permission(rita: User, verdict: str) -> None:
    with pytest.raises(NotPermitted, match="sam may not decide on send_email"):
        settled(doubted(rita), factories.person("sam"), verdict)


@pytest.mark.parametrize("verdict", ["happened", "run", "drop"])
def test_it_refuses_without_a_reason(rita: User, verdict: str) -> None:
    with pytest.raises(ReasonMissing, match="Say how you know"):
        settled(doubted(rita), rita, verdict, reason="  ")


def test_it_refuses_another_verdict_and_another_kind_of_review(rita: User) -> None:
    with pytest.raises(Refusal, match="as happened, run or drop"):
        settled(doubted(rita), rita, "maybe")
    with pytest.raises(Refusal, match="Only a call in doubt is settled"):
        settled(factories.gated(factories.running()), rita, "happened")


def test_it_refuses_a_second_verdict_and_a_stale_page(rita: User, omar: User) -> None:
    review = doubted(rita)
    with pytest.raises(Stale):
        settled(review, rita, "drop", seen_digest="other")
    settled(review, rita, "drop")
    with pytest.raises(AlreadyDecided, match=r"^rita dropped this at"):
        settled(review, omar, "happened")


def test_after_a_cancel_it_can_still_be_settled_but_not_run(rita: User) -> None:
    review = doubted(rita)
    cancel(execution_id=review.execution_id, person=factories.system())
    assert state(review) == ("cancelled", 1, "in_doubt", "open")
    with pytest.raises(ReviewClosed, match="its call cannot run any more"):
        settled(review, rita, "run")
    assert not settled(review, rita, "happened").resumed
    assert state(review) == ("cancelled", 0, "succeeded", "rejected")


def test_an_earlier_doubts_approval_does_not_count_for_a_later_one(rita: User) -> None:
    first = doubted(rita)
    settled(first, rita, "run")
    execution = AgentExecution.objects.get(pk=first.execution_id)
    for _ in range(2):  # it runs again, and again nobody knows
        token = execution.lease_token + 1
        factories.change(
            execution, status="running", lease_owner=factories.uuid4(), lease_token=token
        )
        call = factories.fresh(first.call)
        factories.change(call, status="running")
        latest = factories.doubt(call)
        factories.change(execution, status="awaiting_review", lease_owner=None)
        with pytest.raises(IntegrityError, match="nobody settled it"), transaction.atomic():
            factories.change(call, status="approved", review_id=first.pk)
        settled(latest, rita, "run")
        execution.refresh_from_db()

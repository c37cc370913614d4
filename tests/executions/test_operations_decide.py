"""Decide: one person's vote on one gated call, and what follows in the same transaction."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db.models.functions import Now
from django_q.models import OrmQ

from agentops.accounts.models import User
from executions.models import AgentExecution, AgentReview
from executions.operations import Refusal, decide
from executions.operations.deciding import expire_overdue
from executions.operations.refusals import (
    AlreadyDecided,
    NotFound,
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


def decided(review: AgentReview, person: User, *, approve: bool = True, **changes: Any) -> Decided:
    given: dict[str, Any] = {
        "seen_digest": review.input_digest,
        "reason": "" if approve else "Ana left in May.",
    }
    return decide(review_id=review.pk, person=person, approve=approve, **{**given, **changes})


def only_review(execution: AgentExecution) -> AgentReview:
    return AgentReview.objects.select_related("call", "execution").get(execution=execution)


def state(execution: AgentExecution) -> tuple[str, int, list[str], list[str]]:
    """The execution's status and open reviews, its calls' and its reviews' statuses."""
    execution.refresh_from_db()
    calls = execution.tool_calls.order_by("call_index").values_list("status", flat=True)
    reviews = execution.reviews.order_by("call__call_index").values_list("status", flat=True)
    return execution.status, execution.open_reviews, list(calls), list(reviews)


def tickets() -> int:
    return OrmQ.objects.filter(key="agents").count()


# ------------------------------------------------------------------ what it does


def test_the_last_approval_makes_the_execution_runnable_and_rings(rita: User) -> None:
    execution = factories.waiting()
    done = decided(only_review(execution), rita)
    assert (done.status, done.votes_missing, done.resumed) == ("approved", 0, True)
    assert state(execution) == ("pending", 0, ["approved"], ["approved"])
    assert tickets() == 1


def test_a_rejection_carries_its_reason_to_the_agent(rita: User) -> None:
    execution = factories.waiting()
    done = decided(only_review(execution), rita, approve=False, reason=" Ana left\0 in May. ")
    assert (done.status, done.resumed) == ("rejected", True)
    assert state(execution) == ("pending", 0, ["rejected"], ["rejected"])
    call = execution.tool_calls.get()
    assert call.tool_output == {"by": "rita", "reason": "Ana left\ufffd in May."}
    assert call.started_at is None
    assert call.finished_at


def test_it_waits_for_the_other_reviews_of_the_step(rita: User) -> None:
    execution = factories.waiting(reviews=2)
    first, second = execution.reviews.order_by("call__call_index")
    assert not decided(first, rita).resumed
    assert state(execution)[:2] == ("awaiting_review", 1)
    assert tickets() == 0
    assert decided(second, rita, approve=False).resumed
    assert state(execution) == (
        "pending", 0, ["approved", "rejected"], ["approved", "rejected"],
    )  # fmt: skip
    assert tickets() == 1


def test_while_a_runner_drives_it_nothing_rings(rita: User) -> None:
    execution = factories.running()
    review = factories.gated(execution)
    assert not decided(review, rita).resumed
    assert state(execution) == ("running", 0, ["approved"], ["approved"])
    assert tickets() == 0


def test_two_votes_need_two_people(rita: User, omar: User) -> None:
    execution = factories.waiting(votes=2)
    first = decided(only_review(execution), rita)
    assert (first.status, first.votes_missing, first.resumed) == ("open", 1, False)
    assert state(execution) == ("awaiting_review", 1, ["awaiting_review"], ["open"])
    second = decided(only_review(execution), omar)
    assert (second.status, second.votes_missing, second.resumed) == ("approved", 0, True)


def test_one_rejection_outweighs_an_approval(rita: User, omar: User) -> None:
    execution = factories.waiting(votes=2)
    decided(only_review(execution), rita)
    decided(only_review(execution), omar, approve=False)
    assert state(execution) == ("pending", 0, ["rejected"], ["rejected"])


def test_somebody_else_may_replace_a_voter_who_was_switched_off(rita: User, omar: User) -> None:
    review = only_review(factories.waiting(votes=2))
    decided(review, rita)
    factories.change(rita, is_active=False)
    assert decided(review, omar).votes_missing == 1
    assert decided(review, factories.reviewer("dora")).status == "approved"


def test_who_decided_what_stands_in_the_audit_trail(rita: User) -> None:
    execution = factories.waiting()
    decided(only_review(execution), rita)
    events = execution.audit.order_by("seq").values_list("event", "actor_id")
    assert list(events)[-3:] == [
        ("voted_approve", rita.pk),
        ("review_approved", rita.pk),
        ("pending", rita.pk),
    ]


# ------------------------------------------------------------------ whom it refuses


def test_it_refuses_a_second_reviewer(rita: User, omar: User) -> None:
    review = only_review(factories.waiting())
    decided(review, rita)
    with pytest.raises(AlreadyDecided, match=r"^rita approved this at \d{4}-"):
        decided(review, omar)
    with pytest.raises(AlreadyDecided, match=r"^rita approved this"):
        decided(review, omar, approve=False)


def test_it_refuses_a_double_click(rita: User) -> None:
    review = only_review(factories.waiting(votes=2))
    decided(review, rita)
    with pytest.raises(AlreadyDecided, match=r"^You said approve at"):
        decided(review, rita)
    with pytest.raises(AlreadyDecided, match=r"^You said approve at"):
        decided(review, rita, approve=False)
    assert review.votes.count() == 1


def test_it_refuses_who_saw_other_arguments(rita: User) -> None:
    with pytest.raises(Stale, match="not those you were shown"):
        decided(only_review(factories.waiting()), rita, seen_digest="other")


def test_it_refuses_a_rejection_without_a_reason(rita: User) -> None:
    with pytest.raises(ReasonMissing, match="Say why"):
        decided(only_review(factories.waiting()), rita, approve=False, reason=" \n ")


def test_it_refuses_after_the_expiry(rita: User) -> None:
    execution = factories.waiting()
    review = only_review(execution)
    factories.change(review, expires_at=Now() - timedelta(minutes=1))
    with pytest.raises(ReviewClosed, match=r"expired at .* UTC"):
        decided(review, rita)
    assert expire_overdue() == 1
    with pytest.raises(ReviewClosed, match="expired before anybody decided"):
        decided(review, rita)


def test_it_refuses_what_was_replaced(rita: User) -> None:
    review = only_review(factories.waiting())
    factories.change(review, status="void")
    with pytest.raises(ReviewClosed, match="replaced by a newer one, or its execution ended"):
        decided(review, rita)


@pytest.mark.parametrize("approve", [True, False])
def test_it_refuses_who_lacks_this_tools_permission(approve: bool) -> None:
    sam = factories.person("sam", may=["approve_update_customer_record", "view_agentreview"])
    with pytest.raises(NotPermitted, match="sam may not decide on send_email; ask for executions"):
        decided(only_review(factories.waiting()), sam, approve=approve)


@pytest.mark.parametrize("is_superuser", [False, True])
def test_it_refuses_the_launcher_even_a_superuser(is_superuser: bool) -> None:
    olga = factories.person("olga", may=["approve_*"], is_superuser=is_superuser)
    review = only_review(factories.waiting(user=factories.system(), launched_by=olga))
    with pytest.raises(NotPermitted, match="You launched this execution"):
        decided(review, olga)


def test_the_launcher_may_reject() -> None:
    olga = factories.reviewer("olga")
    assert decided(only_review(factories.waiting(user=olga)), olga, approve=False)


def test_it_refuses_who_edited_the_arguments(rita: User, omar: User) -> None:
    execution = factories.waiting()
    old = only_review(execution)
    factories.change(old, status="void")
    new = AgentReview.objects.create(
        call=old.call, execution=execution, tool_name=old.tool_name, version=2,
        input_digest=old.input_digest, edited_by=rita,
    )  # fmt: skip
    factories.change(old.call, review_id=new.pk)
    with pytest.raises(NotPermitted, match="You edited these arguments"):
        decided(new, rita)
    assert decided(new, omar).status == "approved"


@pytest.mark.parametrize("fields", [{"is_active": False}, {"is_active": False, "is_service": True}])
def test_it_refuses_who_is_no_active_person(fields: dict[str, bool]) -> None:
    gone = factories.person("gone", may=["approve_*"], is_superuser=True, **fields)
    with pytest.raises(NotPermitted):
        decided(only_review(factories.waiting()), gone)


def test_it_refuses_a_review_that_is_not_there(rita: User) -> None:
    with pytest.raises(NotFound, match="There is no review"):
        decide(review_id=uuid4(), person=rita, approve=True, seen_digest="")


def test_it_refuses_a_call_in_doubt(rita: User) -> None:
    started = factories.gated(factories.running())
    doubt = factories.doubt(factories.start(factories.approve(started, rita)))
    with pytest.raises(Refusal, match="say whether it happened"):
        decided(doubt, rita)


def test_a_refusal_changes_nothing(rita: User) -> None:
    execution = factories.waiting()
    before = state(execution), execution.audit.count()
    for changes in ({"seen_digest": "x"}, {"approve": False, "reason": ""}):
        with pytest.raises(Refusal):
            decided(only_review(execution), rita, **changes)  # type: ignore[arg-type]
    assert (state(execution), execution.audit.count()) == before


# ------------------------------------------------------------------ expiry


def test_what_nobody_decided_in_time_expires_and_the_agent_goes_on() -> None:
    execution = factories.waiting()
    factories.change(only_review(execution), expires_at=Now() - timedelta(seconds=1))
    assert expire_overdue() == 1
    assert state(execution) == ("pending", 0, ["expired"], ["expired"])
    assert tickets() == 1
    assert expire_overdue() == 0


def test_what_has_time_left_does_not_expire() -> None:
    execution = factories.waiting(reviews=2)
    first = execution.reviews.order_by("call__call_index")[0]
    factories.change(first, expires_at=Now() - timedelta(seconds=1))
    assert expire_overdue() == 1
    assert state(execution) == (
        "awaiting_review", 1, ["expired", "awaiting_review"], ["expired", "open"],
    )  # fmt: skip


def test_a_doubt_never_expires(rita: User) -> None:
    approved = factories.approve(factories.gated(factories.running()), rita)
    doubt = factories.doubt(factories.start(approved))
    factories.change(doubt, expires_at=Now() - timedelta(seconds=1))
    assert expire_overdue() == 0

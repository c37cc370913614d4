"""Cancel: nothing of this execution starts afterwards, wherever it was (I9)."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from agentops.accounts.models import User
from executions.models import AgentExecution
from executions.operations import cancel
from executions.operations.refusals import AlreadyFinal, NotFound, NotPermitted
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def olga() -> User:
    return factories.person("olga", may=["cancel_execution"])


def statuses(execution: AgentExecution) -> tuple[list[str], list[str]]:
    calls = execution.tool_calls.order_by("call_index").values_list("status", flat=True)
    reviews = execution.reviews.order_by("call__call_index").values_list("status", flat=True)
    return list(calls), list(reviews)


def test_a_pending_one_ends_at_once(olga: User) -> None:
    one = factories.execution()
    cancel(execution_id=one.pk, person=olga, reason="not needed")
    one.refresh_from_db()
    assert (one.status, one.stop_reason) == ("cancelled", "CANCELLED")
    assert one.error == "CANCELLED: olga cancelled it: not needed"
    assert one.completed_at
    assert one.cancel_requested_at


def test_a_waiting_one_ends_with_all_that_waits_in_it(olga: User) -> None:
    one = factories.waiting(reviews=2)
    first = one.reviews.order_by("call__call_index")[0]
    factories.approve(first, factories.reviewer("rita"))
    cancel(execution_id=one.pk, person=olga)
    one.refresh_from_db()
    assert (one.status, one.open_reviews) == ("cancelled", 0)
    assert statuses(one) == (["cancelled", "cancelled"], ["void", "void"])


def test_a_running_one_is_told_and_starts_nothing_more(olga: User) -> None:
    one = factories.running()
    ready = factories.approve(factories.gated(one), factories.reviewer("rita"))
    cancel(execution_id=one.pk, person=olga)
    one.refresh_from_db()
    assert (one.status, one.stop_reason) == ("running", None)
    assert one.cancel_requested_at
    refused = pytest.raises(IntegrityError, match="being cancelled and may start nothing")
    with refused, transaction.atomic():
        factories.start(ready)


def test_asking_twice_is_asking_once(olga: User) -> None:
    one = factories.running()
    first = cancel(execution_id=one.pk, person=olga).cancel_requested_at
    assert cancel(execution_id=one.pk, person=olga).cancel_requested_at == first


def test_a_read_that_was_put_back_half_done_ends_too(olga: User) -> None:
    one = factories.running()
    read = factories.call(
        one, tool_name="find_customers", effect="read", status="running", started_at=Now()
    )
    factories.change(one, status="pending", lease_owner=None)
    cancel(execution_id=one.pk, person=olga)
    read.refresh_from_db()
    assert read.status == "cancelled"


def test_a_call_in_doubt_stays_to_be_settled(olga: User) -> None:
    one = factories.running()
    call = factories.start(factories.approve(factories.gated(one), factories.reviewer("rita")))
    factories.doubt(call)
    factories.change(one, status="awaiting_review", lease_owner=None)
    cancel(execution_id=one.pk, person=olga)
    one.refresh_from_db()
    assert (one.status, one.open_reviews) == ("cancelled", 1)
    assert statuses(one) == (["in_doubt"], ["approved", "open"])


def test_a_cancelled_one_takes_no_vote(olga: User) -> None:
    one = factories.waiting()
    review = one.reviews.get()
    cancel(execution_id=one.pk, person=olga)
    with pytest.raises(IntegrityError, match="is void and takes no vote"), transaction.atomic():
        factories.vote(review, factories.reviewer("rita"))


def test_it_refuses_an_ended_one(olga: User) -> None:
    one = factories.execution()
    cancel(execution_id=one.pk, person=olga)
    with pytest.raises(AlreadyFinal, match="The execution is cancelled already"):
        cancel(execution_id=one.pk, person=olga)


def test_it_refuses_who_has_no_permission() -> None:
    one = factories.execution()
    for nobody in (factories.person("sam"), factories.person("gone", is_active=False)):
        with pytest.raises(NotPermitted, match="may not cancel executions; ask for executions"):
            cancel(execution_id=one.pk, person=nobody)
    one.refresh_from_db()
    assert one.status == "pending"


def test_it_refuses_an_execution_that_is_not_there(olga: User) -> None:
    with pytest.raises(NotFound, match="There is no execution"):
        cancel(execution_id=uuid4(), person=olga)


def test_who_cancelled_stands_in_the_audit_trail(olga: User) -> None:
    told, ended = factories.running(), factories.execution()
    for one in (told, ended):
        cancel(execution_id=one.pk, person=olga)
    last = [
        one.audit.order_by("seq").values_list("event", "actor_id").last() for one in (told, ended)
    ]
    assert last == [("cancel_requested", olga.pk), ("cancelled", olga.pk)]


@pytest.mark.parametrize("reason", ["nul \0", "half \ud83d", "x" * 10_000, " "])
def test_any_reason_can_be_kept(olga: User, reason: str) -> None:
    one = cancel(execution_id=factories.execution().pk, person=olga, reason=reason)
    assert one.error
    assert len(one.error) < 1_300

"""Two people at once: the rival acts in the very middle, on a connection of its own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django_q.models import OrmQ

from agentops.accounts.models import User
from executions.models import AgentExecution, AgentReview
from executions.operations import cancel, decide, deciding, launch, rows
from executions.operations.deciding import expire_overdue
from executions.operations.refusals import AlreadyDecided, ReviewClosed
from tests import factories
from tests.support.racing import InTheMiddle, Racers, Work, racers
from tests.support.rehearsed_agent import REHEARSED
from tests.support.waiting import wait_until

pytestmark = pytest.mark.usefixtures("committed_db")

PEOPLE = 8
ROUNDS = 50


@pytest.fixture
def pool() -> Iterator[Racers]:
    with racers(PEOPLE) as ready:
        yield ready


@pytest.fixture
def while_voting(monkeypatch: pytest.MonkeyPatch, pool: Racers) -> InTheMiddle:
    return InTheMiddle(monkeypatch, pool, deciding, "cast")


@pytest.fixture
def rita() -> User:
    return factories.reviewer("rita")


@pytest.fixture
def omar() -> User:
    return factories.reviewer("omar")


def decision(review: AgentReview, person: User, *, approve: bool = True) -> Work:
    return partial(
        decide,
        review_id=review.pk,
        person=person,
        approve=approve,
        seen_digest=review.input_digest,
        reason="because",
    )


def review_of(execution: AgentExecution) -> AgentReview:
    return AgentReview.objects.get(execution=execution)


def tickets() -> int:
    return OrmQ.objects.filter(key="agents").count()


@pytest.mark.parametrize("approve", [True, False])
def test_of_two_reviewers_at_once_exactly_one_wins(
    while_voting: InTheMiddle, rita: User, omar: User, approve: bool
) -> None:
    execution = factories.waiting()
    review = review_of(execution)
    first, second = while_voting.acts(
        decision(review, omar, approve=not approve), during=decision(review, rita, approve=approve)
    )
    assert first.resumed
    assert isinstance(second, AlreadyDecided)
    assert str(second).startswith("rita ")
    execution.refresh_from_db()
    assert (execution.status, execution.open_reviews, tickets()) == ("pending", 0, 1)
    assert list(review.votes.values_list("voter__username", flat=True)) == ["rita"]


def test_a_double_click_votes_once(while_voting: InTheMiddle, rita: User) -> None:
    review = review_of(factories.waiting(votes=2))
    first, second = while_voting.acts(decision(review, rita), during=decision(review, rita))
    assert first.votes_missing == 1
    assert isinstance(second, AlreadyDecided)
    assert str(second).startswith("You said approve")
    assert review.votes.count() == 1


def test_the_two_votes_a_call_needs_may_come_at_once(
    while_voting: InTheMiddle, rita: User, omar: User
) -> None:
    execution = factories.waiting(votes=2)
    review = review_of(execution)
    first, second = while_voting.acts(decision(review, omar), during=decision(review, rita))
    assert (first.votes_missing, second.votes_missing, second.resumed) == (1, 0, True)
    execution.refresh_from_db()
    assert (execution.status, tickets()) == ("pending", 1)


def test_a_decision_beats_the_cancel_that_comes_during_it(
    while_voting: InTheMiddle, rita: User
) -> None:
    execution = factories.waiting()
    review = review_of(execution)
    first, second = while_voting.acts(
        partial(cancel, execution_id=execution.pk, person=factories.system()),
        during=decision(review, rita),
    )
    assert first.resumed
    assert second.status == "cancelled"
    review.refresh_from_db()
    assert (review.status, review.call.status) == ("void", "cancelled")


def test_a_cancel_beats_the_decision_that_comes_during_it(
    monkeypatch: pytest.MonkeyPatch, pool: Racers, rita: User
) -> None:
    execution = factories.waiting()
    review = review_of(execution)
    first, second = InTheMiddle(monkeypatch, pool, rows, "end_execution").acts(
        decision(review, rita),
        during=partial(cancel, execution_id=execution.pk, person=factories.system()),
    )
    assert first.status == "cancelled"
    assert isinstance(second, ReviewClosed)
    assert not review.votes.exists()


def test_a_start_that_meets_a_cancel_waits_for_it_and_is_refused(pool: Racers, rita: User) -> None:
    """Also a start that does not lock the execution first, as the journal does."""
    execution = factories.running()
    ready = factories.approve(factories.gated(execution), rita)
    with transaction.atomic():
        cancel(execution_id=execution.pk, person=factories.system())
        start = pool.start(partial(factories.start, ready))
        pool.wait_for_queue(1, of=[])
    with pytest.raises(IntegrityError, match="being cancelled and may start nothing"):
        start.result(30)


def test_a_review_that_expires_during_the_vote_is_refused_in_words(
    monkeypatch: pytest.MonkeyPatch, rita: User
) -> None:
    """R7: the checks found it open; the database's clock, asked once more, does not."""
    execution = factories.waiting()
    review = review_of(execution)
    factories.change(review, expires_at=Now() + timedelta(seconds=0.2))
    overdue = AgentReview.objects.filter(pk=review.pk, expires_at__lte=Now())
    vote = deciding.cast

    def late(*args: Any) -> None:
        assert not overdue.exists(), "it had expired before the checks"
        wait_until(overdue.exists, what="the expiry")
        vote(*args)

    monkeypatch.setattr(deciding, "cast", late)
    with pytest.raises(ReviewClosed, match="This review expired at"):
        decision(review, rita)()
    assert not review.votes.exists()


def test_two_sweeps_at_once_expire_a_review_once(
    monkeypatch: pytest.MonkeyPatch, pool: Racers
) -> None:
    execution = factories.waiting()
    factories.change(review_of(execution), expires_at=Now())
    swept = InTheMiddle(monkeypatch, pool, rows, "move_call").acts(
        expire_overdue, during=expire_overdue
    )
    assert swept == (1, 0)
    execution.refresh_from_db()
    assert (execution.status, execution.open_reviews, tickets()) == ("pending", 0, 1)


def test_two_people_who_decide_the_last_two_calls_at_once_never_leave_it_stuck(
    pool: Racers, rita: User, omar: User
) -> None:
    for number in range(ROUNDS):
        execution = factories.waiting(reviews=2)
        first, second = execution.reviews.order_by("call__call_index")
        outcomes = pool.at_once(
            decision(first, rita, approve=bool(number % 2)),
            decision(second, omar, approve=bool(number % 3)),
        )
        assert sorted(outcome.resumed for outcome in outcomes) == [False, True]
        execution.refresh_from_db()
        assert (execution.status, execution.open_reviews) == ("pending", 0)
        assert tickets() == number + 1


def test_of_many_equal_launches_at_once_one_is_stored(pool: Racers) -> None:
    olga = factories.person("olga", may=["launch_execution"])
    same = partial(
        launch,
        agent_type=REHEARSED.name,
        input_data={"rehearse": []},
        user=olga,
        idempotency_key="monday",
    )
    launched = pool.at_once(*[same] * PEOPLE)
    assert sum(one.is_new for one in launched) == 1
    assert len({one.execution.pk for one in launched}) == 1
    assert (AgentExecution.objects.count(), tickets()) == (1, 1)


def test_many_people_on_many_reviews_at_once_meet_no_deadlock(pool: Racers) -> None:
    people = [factories.reviewer(f"person{number}") for number in range(PEOPLE)]
    for _ in range(5):
        execution = factories.waiting(reviews=PEOPLE, votes=1)
        reviews = list(execution.reviews.all())
        outcomes = pool.at_once(*map(decision, reviews, people))
        assert sum(outcome.resumed for outcome in outcomes) == 1
        execution.refresh_from_db()
        assert (execution.status, execution.open_reviews) == ("pending", 0)

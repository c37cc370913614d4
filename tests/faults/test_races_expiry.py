"""A review's last moment: the approval is in time or it is not, by the database's clock."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from functools import partial

from django.db.models.functions import Now

from agentops.accounts.models import User
from executions.models import AgentReview, AgentReviewVote
from executions.operations.refusals import ReviewClosed
from tests import factories
from tests.faults.racing import (
    assert_all_seen,
    at_the_gate,
    decision,
    drive,
    expired_by_the_job,
    open_review,
)
from tests.faults.scenarios import letter
from tests.faults.witness import Witness
from tests.support.effort import Effort
from tests.support.racing import Aim, Racers


def test_an_approval_at_the_moment_of_expiry_is_in_time_or_refused(
    outside: Witness, reviewers: list[User], two: Racers, effort: Effort
) -> None:
    """R7: the approval and the job that expires reviews run while the review's time runs out."""
    rng, times = effort.rng("R7"), effort.times(short=40, long=1000)
    orders, aim = Counter[str](), Aim(rng, at_s=0.03)
    for execution in at_the_gate(outside, [[letter(number)] for number in range(times)]):
        review = open_review(execution)
        factories.change(review, expires_at=Now() + timedelta(seconds=aim.moment()))
        decided, _ = two.at_once(
            decision(review, reviewers[0]), partial(expired_by_the_job, review)
        )
        review.refresh_from_db()
        execution.refresh_from_db()
        assert (execution.status, execution.open_reviews) == ("pending", 0)
        orders[review.status] += 1
        aim.correct(was_early=review.status == "expired")
        if review.status == "approved":
            assert decided.resumed
            assert review.decided_at < review.expires_at
        else:
            assert isinstance(decided, ReviewClosed), decided
            assert review.decided_at >= review.expires_at
            assert not review.votes.exists()

    drive(outside)

    assert_all_seen(orders, "approved", "expired")
    assert AgentReviewVote.objects.count() == orders["approved"]
    # what was approved in its last moment is too old to start, and is asked again
    assert AgentReview.objects.open().count() == orders["approved"]
    assert not outside.letters()
    outside.check_invariants()

"""Claim: one person is on a review for a while, others are told, and nobody is barred."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from uuid import uuid4

import pytest
from django.db.models import F
from django.db.models.functions import Now

from agentops.accounts.models import User
from executions.models import AgentAudit, AgentReview, AgentReviewClaim
from executions.operations import claim, decide, edit, release, take_over, withdraw
from executions.operations.refusals import (
    AlreadyDecided,
    Claimed,
    NotFound,
    NotPermitted,
    ReasonMissing,
    ReviewClosed,
)
from tests import factories
from tests.executions import desk
from tests.support.effort import Effort
from tests.support.racing import Racers, racers


@pytest.fixture
def rita(db: None) -> User:
    return factories.reviewer("rita")


@pytest.fixture
def omar(db: None) -> User:
    return factories.reviewer("omar")


def run_out(review: AgentReview) -> None:
    factories.change(review, claimed_until=Now())


def approve(review: AgentReview, person: User) -> None:
    decide(review_id=review.pk, person=person, approve=True, seen_digest=review.input_digest)


def events(review: AgentReview) -> list[str]:
    rows = AgentAudit.objects.filter(execution_id=review.execution_id, event__startswith="review_")
    return list(rows.order_by("seq").values_list("event", flat=True))


def test_a_claim_lasts_a_quarter_of_an_hour_by_the_databases_clock(rita: User) -> None:
    review = claim(review_id=desk.proposed().pk, person=rita)
    assert review.claimed_by == rita
    left = AgentReview.objects.values_list(F("claimed_until") - Now(), flat=True).get()
    assert timedelta(minutes=14, seconds=50) < left <= timedelta(minutes=15)


def test_claiming_again_renews_it_and_is_told_once(rita: User) -> None:
    review = desk.proposed()
    claim(review_id=review.pk, person=rita)
    factories.change(review, claimed_until=Now() + timedelta(minutes=1))
    again = claim(review_id=review.pk, person=rita)
    assert again.claimed_until > review.claimed_until + timedelta(minutes=13)
    assert AgentReviewClaim.objects.count() == 1
    assert events(review) == ["review_open", "review_claimed"]


def test_a_second_person_is_told_who_is_on_it(rita: User, omar: User) -> None:
    review = desk.proposed()
    claim(review_id=review.pk, person=rita)
    with pytest.raises(Claimed, match=r"rita is reviewing this \(15 min left\)"):
        claim(review_id=review.pk, person=omar)
    assert factories.fresh(review).claimed_by == rita


def test_a_claim_that_ran_out_is_anybodys(rita: User, omar: User) -> None:
    review = desk.proposed()
    claim(review_id=review.pk, person=rita)
    run_out(review)
    assert claim(review_id=review.pk, person=omar).claimed_by == omar
    assert not AgentReviewClaim.objects.exclude(taken_from=None).exists()


def test_letting_go_makes_it_free_and_does_so_twice_without_harm(rita: User, omar: User) -> None:
    review = desk.proposed()
    claim(review_id=review.pk, person=rita)
    release(review_id=review.pk, person=rita)
    release(review_id=review.pk, person=rita)
    assert factories.fresh(review).claimed_until is None
    assert claim(review_id=review.pk, person=omar).claimed_by == omar
    with pytest.raises(Claimed, match="omar is reviewing this"):
        release(review_id=review.pk, person=rita)
    with pytest.raises(NotFound):
        release(review_id=uuid4(), person=rita)


def test_a_take_over_needs_a_reason_and_is_audited(rita: User, omar: User) -> None:
    review = desk.proposed()
    claim(review_id=review.pk, person=rita)
    with pytest.raises(ReasonMissing, match="rita reads it"):
        take_over(review_id=review.pk, person=omar, from_whom=rita.pk, reason="  ")
    taken = take_over(review_id=review.pk, person=omar, from_whom=rita.pk, reason="Due soon.")
    assert taken.claimed_by == omar
    kept = AgentReviewClaim.objects.get(taken_from=rita)
    assert (kept.claimant, kept.reason) == (omar, "Due soon.")
    row = AgentAudit.objects.get(event="review_taken_over")
    assert (row.actor_id, row.detail["from"]) == (omar.pk, str(rita.pk))
    assert "Due soon." not in str(row.detail)
    assert row.detail["reason_digest"]


def test_a_take_over_is_from_whom_one_saw_on_it(rita: User, omar: User) -> None:
    review, dora = desk.proposed(), factories.reviewer("dora")
    claim(review_id=review.pk, person=rita)
    take_over(review_id=review.pk, person=omar, from_whom=rita.pk, reason="Due soon.")
    with pytest.raises(Claimed, match="omar is reviewing this"):
        take_over(review_id=review.pk, person=dora, from_whom=rita.pk, reason="Due soon.")


def test_taking_over_what_nobody_holds_any_more_is_a_claim(rita: User, omar: User) -> None:
    review = desk.proposed()
    claim(review_id=review.pk, person=rita)
    run_out(review)
    take_over(review_id=review.pk, person=omar, from_whom=rita.pk, reason="")
    assert events(review)[1:] == ["review_claimed", "review_claimed"]


def test_a_claim_bars_nobodys_decision(rita: User, omar: User) -> None:
    review = desk.proposed()
    claim(review_id=review.pk, person=rita)
    approve(review, omar)
    assert factories.fresh(review).status == "approved"


def test_ones_vote_ends_ones_claim_and_the_second_reviewer_finds_it_free(
    rita: User, omar: User
) -> None:
    review = desk.proposed(votes=2)
    claim(review_id=review.pk, person=rita)
    approve(review, rita)
    assert factories.fresh(review).claimed_by is None
    with pytest.raises(AlreadyDecided, match="You have voted"):
        claim(review_id=review.pk, person=rita)
    claim(review_id=review.pk, person=omar)
    assert factories.fresh(review).claimed_by == omar


def test_a_new_version_begins_without_a_claim(rita: User, omar: User) -> None:
    desk.load_sample_data()
    review = desk.proposed()
    claim(review_id=review.pk, person=rita)
    newer = edit(
        review_id=review.pk, person=rita, seen_digest=review.input_digest,
        arguments={**desk.LETTER, "subject": "Edited"},
    )  # fmt: skip
    assert newer.claimed_by is None
    claim(review_id=newer.pk, person=omar)
    factories.change(newer, effective_at=Now() + timedelta(minutes=5))
    approve(newer, omar)
    assert withdraw(review_id=newer.pk, person=omar).claimed_by is None


def test_what_is_closed_or_not_ones_to_decide_is_not_claimed(rita: User, omar: User) -> None:
    review = desk.proposed()
    approve(review, omar)
    with pytest.raises(AlreadyDecided, match="omar approved this"):
        claim(review_id=review.pk, person=rita)
    late = desk.proposed(expires_in=-timedelta(minutes=1))
    with pytest.raises(ReviewClosed, match="expired"):
        claim(review_id=late.pk, person=rita)
    with pytest.raises(NotPermitted):
        claim(review_id=desk.proposed().pk, person=factories.person("sam"))


@pytest.fixture
def pool(committed_db: None) -> Iterator[Racers]:
    with racers(2) as ready:
        yield ready


def test_of_two_who_claim_at_once_one_gets_it_and_the_other_is_told_who(
    pool: Racers, effort: Effort
) -> None:
    rita, omar = factories.reviewer("rita"), factories.reviewer("omar")
    rng = effort.rng("claims")
    for _ in range(effort.times(short=20, long=400)):
        review = desk.proposed()
        first, second = pool.race(
            review.execution_id,
            partial(claim, review_id=review.pk, person=rita),
            partial(claim, review_id=review.pk, person=omar),
            rng=rng,
        )
        won, lost = (first, second) if isinstance(second, Claimed) else (second, first)
        assert isinstance(won, AgentReview)
        assert str(lost) == f"{won.claimed_by} is reviewing this (15 min left)."
        assert factories.fresh(review).claimed_by == won.claimed_by
    assert AgentReviewClaim.objects.count() == AgentReview.objects.count()

"""Several people on one review in the same instant: one outcome, and everybody told which."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from agentops.accounts.models import User
from executions import operations
from executions.models import AgentReview, AgentReviewVote
from executions.operations.refusals import AlreadyDecided, ReviewClosed, Stale, TooLate
from tests.faults.racing import assert_all_seen, at_the_gate, decision, drive, open_review
from tests.faults.scenarios import filing, letter
from tests.faults.witness import Witness
from tests.support.effort import Effort
from tests.support.racing import Racers, racers
from tools.models import Regulator

WHO_WHAT_WHEN = r"{who} {what} this at \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d UTC\."
WHAT = {True: "approved", False: "rejected"}


@pytest.fixture
def people() -> Iterator[Racers]:
    with racers(3) as ready:
        yield ready


def test_of_two_reviewers_at_once_one_wins_and_the_other_is_told(
    outside: Witness, reviewers: list[User], people: Racers, effort: Effort
) -> None:
    """R2: approve or reject against approve or reject; the late one reads who did what when."""
    rng, times = effort.rng("R2"), effort.times(short=40, long=1000)
    executions = at_the_gate(outside, [[letter(number)] for number in range(times)])
    orders: Counter[str] = Counter()
    approved = set()
    for number, execution in enumerate(executions):
        review = open_review(execution)
        says = [rng.random() < 0.6, rng.random() < 0.6]
        works = [
            decision(review, person, approve=say)
            for person, say in zip(reviewers, says, strict=True)
        ]
        outcomes = people.race(execution.pk, *works, rng=rng)
        (winner,) = [place for place in (0, 1) if not isinstance(outcomes[place], Exception)]
        loser = outcomes[1 - winner]
        assert isinstance(loser, AlreadyDecided)
        told = WHO_WHAT_WHEN.format(who=reviewers[winner], what=WHAT[says[winner]])
        assert re.fullmatch(told, str(loser)), loser
        assert outcomes[winner].resumed
        orders[f"{reviewers[winner]} first"] += 1
        if says[winner]:
            approved.add(f"Letter {number}.1")
    assert AgentReviewVote.objects.count() == times

    drive(outside)

    assert_all_seen(orders, *(f"{person} first" for person in reviewers))
    assert sorted(one["subject"] for one in outside.letters()) == sorted(approved)
    outside.check_invariants()


def test_a_double_click_is_one_vote(
    outside: Witness, reviewers: list[User], people: Racers, effort: Effort
) -> None:
    """R1: the same person twice at once; the second answer says that it was done already."""
    rng, times = effort.rng("R1"), effort.times(short=30, long=1000)
    rita, _ = reviewers
    executions = at_the_gate(outside, [[letter(number)] for number in range(times)])
    orders: Counter[str] = Counter()
    for execution in executions:
        review = open_review(execution)
        outcomes = people.race(execution.pk, *[decision(review, rita)] * 2, rng=rng)
        (late,) = [place for place in (0, 1) if isinstance(outcomes[place], Exception)]
        assert isinstance(outcomes[late], AlreadyDecided)
        assert re.search(r"rita approved this|You said approve", str(outcomes[late]))
        orders["second first" if late == 0 else "first first"] += 1

    drive(outside)

    assert_all_seen(orders, "first first", "second first")
    assert AgentReviewVote.objects.count() == len(outside.letters()) == times
    outside.check_invariants()


def test_two_votes_are_two_people_who_saw_the_same(
    outside: Witness, reviewers: list[User], people: Racers, effort: Effort
) -> None:
    """R10: one person in two sessions counts once, a second on other arguments not at all."""
    rng, times = effort.rng("R10"), effort.times(short=30, long=1000)
    rita, omar = reviewers
    executions = at_the_gate(outside, [[filing(outside.report, number)] for number in range(times)])
    orders: Counter[str] = Counter()
    filed = 0
    for number, execution in enumerate(executions):
        review = open_review(execution)
        has_stale_page = number % 3 == 0
        seen = "0" * 64 if has_stale_page else review.input_digest
        third = partial(
            operations.decide, review_id=review.pk, person=omar, approve=True, seen_digest=seen
        )
        twice = decision(review, rita)
        first, second, omars = people.race(execution.pk, twice, twice, third, rng=rng)
        _assert_one_vote(first, second)
        votes = review.votes.order_by("created_at").values_list("voter__username", flat=True)
        review.refresh_from_db()
        if has_stale_page:
            assert isinstance(omars, Stale)
            assert (list(votes), review.status) == (["rita"], "open")
        else:
            filed += 1
            assert sorted(votes) == ["omar", "rita"]
            assert review.status == "approved"
            orders[f"{votes[0]} first"] += 1

    drive(outside)

    assert_all_seen(orders, "rita first", "omar first")
    assert len(outside.filings()) == filed
    outside.check_invariants()


def test_a_vote_that_is_withdrawn_as_the_second_comes_is_in_time_or_told_that_it_is_not(
    outside: Witness, reviewers: list[User], people: Racers, effort: Effort
) -> None:
    """R4: in the one order one vote stands and nothing is filed; in the other it is filed once."""
    rng, times = effort.rng("R4 withdrawn"), effort.times(short=16, long=500)
    rita, omar = reviewers
    executions = at_the_gate(outside, [[filing(outside.report, number)] for number in range(times)])
    orders: Counter[str] = Counter()
    for number, execution in enumerate(executions):
        review = open_review(execution)
        decision(review, rita)()
        takes_back = partial(operations.withdraw, review_id=review.pk, person=rita)
        works = (takes_back, decision(review, omar))
        if number < 2:  # each order once for sure
            withdrawn, second = people.in_turn(
                execution.pk, *works, places=[number, 1 - number]
            )  # fmt: skip
        else:
            withdrawn, second = people.race(execution.pk, *works, rng=rng)
        review.refresh_from_db()
        votes = set(review.votes.values_list("voter__username", flat=True))
        if isinstance(withdrawn, Exception):
            orders["the second vote first"] += 1
            assert isinstance(withdrawn, TooLate)
            assert (review.status, votes) == ("approved", {"rita", "omar"})
            assert second.resumed
        else:
            orders["withdrawn first"] += 1
            assert (review.status, votes) == ("open", {"omar"})
            assert (second.votes_missing, second.resumed) == (1, False)

    drive(outside)

    assert_all_seen(orders, "withdrawn first", "the second vote first")
    assert len(outside.filings()) == orders["the second vote first"]
    outside.check_invariants()


def _assert_one_vote(first: Any, second: Any) -> None:
    """Of the same person's two, exactly one was taken."""
    refused = [one for one in (first, second) if isinstance(one, Exception)]
    assert len(refused) == 1
    assert isinstance(refused[0], AlreadyDecided)


def test_a_vote_from_an_older_page_does_not_count_for_the_newer_version(
    outside: Witness, reviewers: list[User], people: Racers, effort: Effort
) -> None:
    """R10: the filing's target changes after approval; one votes on the new version while the
    other still has the old one open."""
    rng, times = effort.rng("R10 versions"), effort.times(short=3, long=40)
    rita, omar = reviewers
    executions = at_the_gate(outside, [[filing(outside.report, number)] for number in range(times)])
    older = {one.pk: open_review(one) for one in executions}
    for review in older.values():
        decision(review, rita)()
        decision(review, omar)()
    Regulator.objects.update(name="Renamed while people were deciding")
    drive(outside)
    for execution in executions:
        newer = open_review(execution)
        assert newer.version == 2
        fresh, late = people.race(
            execution.pk, decision(newer, rita), decision(older[execution.pk], omar), rng=rng
        )
        assert fresh.votes_missing == 1
        assert isinstance(late, (AlreadyDecided, ReviewClosed))
        newer.refresh_from_db()
        assert (newer.status, newer.votes.count()) == ("open", 1)

    drive(outside)

    assert not outside.filings()
    assert AgentReview.objects.open().count() == times
    outside.check_invariants()

"""The same button twice, or at its last moment, through the pages: it counts once, and the late
press is told why it did not count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial

import pytest
from django.db.models.functions import Now
from pytest_django import Settings

from executions.engine import runner
from executions.models import AgentExecution, AgentReview, AgentReviewClaim
from tests import factories
from tests.executions import desk
from tests.faults.pressing import (
    AT,
    Person,
    approves,
    at_browser,
    claims,
    found_in,
    meet,
    pressing,
    settles,
    withdraws,
    words_of,
)
from tests.faults.racing import (
    Asked,
    assert_all_seen,
    at_the_gate,
    drive,
    expired_by_the_job,
    open_review,
)
from tests.faults.scenarios import filing, letter
from tests.faults.witness import Witness
from tests.support.effort import Effort
from tests.support.racing import Aim, Racers, after
from tests.support.standing_runner import standing_runner
from tests.support.waiting import wait_until

COUNTS_ONCE = r"You approved this already, just now\. It counts once\."


@pytest.mark.parametrize("votes", [1, 2], ids=["a letter", "a filing by two"])
def test_one_person_in_two_browsers_at_once_votes_once(
    outside: Witness, desks: list[Person], two: Racers, effort: Effort, votes: int
) -> None:
    """R1, R10: the second answer is no error, and where two must agree it is still one vote."""
    rng, times = effort.rng(f"R1 {votes}"), effort.times(short=2, long=200)
    rita, omar = desks
    sessions = [rita, at_browser(rita.user)]
    asked: list[Asked] = [
        [letter(n) if votes == 1 else filing(outside.report, n)] for n in range(times)
    ]
    orders: Counter[str] = Counter()
    for turn, execution in enumerate(at_the_gate(outside, asked)):
        review = open_review(execution)
        presses = [pressing(approves, person, review) for person in sessions]
        answers = meet(two, review, *presses, turn=turn, rng=rng)
        assert sorted(one.status for one in answers) == [200, 302]
        (late,) = [place for place, one in enumerate(answers) if one.status == 200]
        assert found_in(answers[late], COUNTS_ONCE)
        orders["second" if late == 0 else "first"] += 1
        assert review.votes.count() == 1
        if votes == 2:
            assert factories.fresh(review).status == "open"
            assert approves(omar, review).status == 302

    drive(outside)

    assert_all_seen(orders, "first", "second")
    assert len(outside.letters()) + len(outside.filings()) == times
    outside.check_invariants()


def test_two_who_claim_at_once_are_one_on_it_and_one_who_reads_who_is(
    outside: Witness, desks: list[Person], two: Racers, effort: Effort
) -> None:
    """R2: claim, claim: neither decides anything."""
    rng, times = effort.rng("claim"), effort.times(short=2, long=200)
    orders: Counter[str] = Counter()
    for turn in range(times):
        review = desk.proposed()
        presses = [pressing(claims, person, review) for person in desks]
        answers = meet(two, review, *presses, turn=turn, rng=rng)
        holder = factories.fresh(review).claimed_by
        (late,) = [place for place in (0, 1) if desks[place].user != holder]
        assert found_in(answers[late], rf"{holder} is reviewing this \(15 min left\)\.")
        assert not found_in(answers[1 - late], "is reviewing this")
        assert AgentReviewClaim.objects.get(review=review).claimant == holder
        orders[str(holder)] += 1
    assert_all_seen(orders, "rita", "omar")


def test_a_claim_keeps_nobody_from_deciding_and_comes_too_late_after_it(
    outside: Witness, desks: list[Person], two: Racers, effort: Effort
) -> None:
    """R2: claim, approve: the approval is taken either way; a late claim reads whose it was."""
    rng, times = effort.rng("claim, approve"), effort.times(short=2, long=200)
    rita, omar = desks
    orders: Counter[str] = Counter()
    executions = at_the_gate(outside, [[letter(number)] for number in range(times)])
    for turn, execution in enumerate(executions):
        review = open_review(execution)
        presses = pressing(claims, rita, review), pressing(approves, omar, review)
        claimed, approved = meet(two, review, *presses, turn=turn, rng=rng)
        assert approved.status == 302
        assert review.votes.get().voter == omar.user
        was_late = not AgentReviewClaim.objects.filter(review=review).exists()
        assert was_late == found_in(claimed, r"omar approved this at \d{4}-\d\d-\d\d [\d:]{8} UTC")
        orders["approval" if was_late else "claim"] += 1

    drive(outside)

    assert_all_seen(orders, "claim", "approval")
    assert len(outside.letters()) == times
    outside.check_invariants()


@pytest.mark.parametrize(
    ("ritas", "omars"), [("happened", "drop"), ("run", "drop"), ("happened", "happened")]
)
def test_of_two_who_settle_a_doubt_at_once_one_is_heard(
    outside: Witness,
    desks: list[Person],
    two: Racers,
    effort: Effort,
    ritas: str,
    omars: str,
) -> None:
    """R2: settle, settle: the other reads who settled it, how, and when."""
    rng, times = effort.rng(f"settle {ritas} {omars}"), effort.times(short=2, long=200)
    otto = factories.reviewer("otto")
    said = {"happened": "said that this happened", "drop": "dropped this", "run": "approved this"}
    ends = {"happened": "succeeded", "drop": "cancelled", "run": "approved"}
    orders: Counter[str] = Counter()
    for turn in range(times):
        review = desk.in_doubt(otto)
        presses = [
            pressing(partial(settles, verdict=verdict), person, review)
            for person, verdict in zip(desks, (ritas, omars), strict=True)
        ]
        answers = meet(two, review, *presses, turn=turn, rng=rng)
        assert sorted(one.status for one in answers) == [302, 409]
        first = 0 if answers[0].status == 302 else 1
        verdict = (ritas, omars)[first]
        assert found_in(answers[1 - first], f"{desks[first].named} {said[verdict]}{AT}")
        assert factories.fresh(review.call).status == ends[verdict]
        assert review.votes.count() == 1
        orders[desks[first].named] += 1
    assert_all_seen(orders, "rita", "omar")


def test_an_approval_taken_back_twice_at_once_is_asked_anew_once(
    outside: Witness, desks: list[Person], two: Racers, effort: Effort, settings: Settings
) -> None:
    """R4: withdraw, withdraw: both lead to the one new version; nothing starts."""
    settings.AGENTOPS_UNDO_S = None
    rng, times = effort.rng("withdraw"), effort.times(short=2, long=200)
    rita, omar = desks
    sessions = [rita, at_browser(rita.user)]
    executions = at_the_gate(outside, [[letter(number)] for number in range(times)])
    for turn, execution in enumerate(executions):
        review = open_review(execution)
        assert approves(rita, review).status == 302
        stranger = withdraws(omar, review)
        assert stranger.status == 403
        assert found_in(stranger, "Only who approved this can take the approval back")
        presses = [pressing(withdraws, person, review) for person in sessions]
        answers = meet(two, review, *presses, turn=turn, rng=rng)
        newer = open_review(execution)
        assert {(one.status, one.went_to) for one in answers} == {(302, desk.url(newer))}
        assert (newer.version, newer.votes.count()) == (2, 0)

    drive(outside)

    assert not outside.letters()
    outside.check_invariants()


@contextmanager
def ticking_often() -> Iterator[None]:
    """Inside the test, so that this ends before its fixtures give back what they found."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runner, "TICK_S", 0.05)
        yield


def test_an_approval_taken_back_when_it_is_to_start_is_in_time_or_told_that_it_is_not(
    outside: Witness,
    desks: list[Person],
    two: Racers,
    effort: Effort,
    settings: Settings,
) -> None:
    """R4: withdraw, start: a runner stands by while the window closes; either nothing is sent, or
    the page says that it is too late, and one letter is."""
    settings.AGENTOPS_UNDO_S = 1
    rng, times = effort.rng("withdraw, start"), effort.times(short=2, long=200)
    rita, _ = desks
    orders, aim = Counter[str](), Aim(rng, at_s=0.95)
    to_be_sent = []
    executions = at_the_gate(outside, [[letter(number)] for number in range(times)])
    with ticking_often(), standing_runner(base_url=outside.llm.base_url):
        for turn, execution in enumerate(executions):
            review = open_review(execution)
            assert approves(rita, review).status == 302
            moment = (0.0, 1.1)[turn] if turn < 2 else aim.moment()
            (answer,) = two.at_once(after(moment, pressing(withdraws, rita, review)))
            if answer.status == 302:
                assert open_review(execution).version == 2
            else:
                assert answer.status == 409
                assert found_in(answer, "The time to take it back is over; the call starts or has")
                to_be_sent.append(review.call.tool_input["subject"])
                wait_until(partial(_has_completed, execution), what="the end")
            aim.correct(was_early=answer.status == 302)
            orders["in time" if answer.status == 302 else "too late"] += 1

    drive(outside)

    assert_all_seen(orders, "in time", "too late")
    assert sorted(one["subject"] for one in outside.letters()) == sorted(to_be_sent)
    outside.check_invariants()


def _has_completed(execution: AgentExecution) -> bool:
    return AgentExecution.objects.filter(pk=execution.pk, status="completed").exists()


def test_an_approval_on_the_page_at_the_moment_of_expiry_is_in_time_or_told_when_it_expired(
    outside: Witness, desks: list[Person], two: Racers, effort: Effort
) -> None:
    """R7: approve, expire: the database's clock decides, and the page says so."""
    rng, times = effort.rng("R7 page"), effort.times(short=2, long=200)
    rita, _ = desks
    orders, aim = Counter[str](), Aim(rng, at_s=0.1)
    executions = at_the_gate(outside, [[letter(number)] for number in range(times)])
    for turn, execution in enumerate(executions):
        review = open_review(execution)
        moment = (0.7, 0.0)[turn] if turn < 2 else aim.moment()
        factories.change(review, expires_at=Now() + timedelta(seconds=moment))
        job = partial(expired_by_the_job, review)
        answer, _ = two.at_once(pressing(approves, rita, review), job)
        review.refresh_from_db()
        orders[review.status] += 1
        aim.correct(was_early=review.status == "expired")
        if review.status == "approved":
            assert answer.status == 302
        else:
            assert answer.status == 409
            assert found_in(answer, f"This expired before enough people decided{AT}")
            assert not review.votes.exists()

    drive(outside)

    assert_all_seen(orders, "approved", "expired")
    # what was approved in its last moment is too old to start, and is asked again
    assert AgentReview.objects.open().count() + len(outside.letters()) == orders["approved"]
    outside.check_invariants()


@pytest.mark.parametrize("loses", ["the right", "the account"])
def test_an_approver_who_may_not_any_more_is_told_on_the_page_of_the_new_version(
    outside: Witness, desks: list[Person], loses: str
) -> None:
    """R9: revoked between approving and starting: nothing is sent until somebody else approves."""
    rita, omar = desks
    (execution,) = at_the_gate(outside, [[letter(1)]])
    assert approves(rita, open_review(execution)).status == 302
    if loses == "the right":
        rita.user.user_permissions.clear()
    else:
        type(rita.user).objects.filter(pk=rita.user.pk).update(is_active=False)
    drive(outside)
    assert not outside.letters()
    newer = open_review(execution)
    page = words_of(omar.browser.load(desk.url(newer)))
    assert "The approval by rita no longer counts" in page
    late = approves(rita, newer)
    assert late.status == (403 if loses == "the right" else 401)
    assert approves(omar, newer).status == 302
    drive(outside)
    assert len(outside.letters()) == 1
    outside.check_invariants()

"""Cancels against everything else: nothing starts after one, and ten of them are one."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from agentops.accounts.models import User
from executions import operations
from executions.engine.entries import CallEnded
from executions.models import AgentAudit, AgentExecution, AgentReview, AgentToolCall
from executions.operations.refusals import AlreadyFinal, ReviewClosed
from tests import factories
from tests.faults.racing import (
    assert_all_seen,
    at_the_gate,
    decision,
    drive,
    launched,
    open_review,
)
from tests.faults.scenarios import RULES, letter
from tests.faults.witness import Witness
from tests.support.effort import Effort
from tests.support.pieces import Held, in_pieces, llm_at
from tests.support.racing import Aim, Racers, Work, after, racers
from tests.support.standing_runner import standing_runner
from tests.support.waiting import wait_until

CROWD = 10


@pytest.fixture
def people() -> Iterator[Racers]:
    with racers(CROWD) as ready:
        yield ready


def cancelling(execution: AgentExecution) -> Work:
    return partial(operations.cancel, execution_id=execution.pk, person=factories.system())


def ended(*executions: AgentExecution) -> bool:
    keys = [execution.pk for execution in executions]
    return not AgentExecution.objects.filter(pk__in=keys).unfinished().exists()


def test_an_approval_that_races_a_cancel_starts_nothing(
    outside: Witness, reviewers: list[User], people: Racers, effort: Effort
) -> None:
    """R6: approved and then cancelled before the start, or cancelled and the approval refused."""
    rng, times = effort.rng("R6"), effort.times(short=40, long=1000)
    orders: Counter[str] = Counter()
    for execution in at_the_gate(outside, [[letter(number)] for number in range(times)]):
        review = open_review(execution)
        approved, cancelled = people.race(
            execution.pk, decision(review, reviewers[0]), cancelling(execution), rng=rng
        )
        assert cancelled.status == "cancelled"
        orders["cancel first" if isinstance(approved, ReviewClosed) else "approval first"] += 1
        review.refresh_from_db()
        assert (review.status, review.call.status) == ("void", "cancelled")

    drive(outside)

    assert_all_seen(orders, "cancel first", "approval first")
    assert not outside.letters()
    outside.check_invariants()


def test_a_cancel_at_any_moment_of_an_approved_call_is_kept_by_the_runner(
    outside: Witness, reviewers: list[User], people: Racers, effort: Effort
) -> None:
    """R6, C1: a runner stands by, so the cancel meets the approval, the claim, the start or the
    effect; what had started may finish, nothing else does."""
    rng, times = effort.rng("R6 runner"), effort.times(short=30, long=1000)
    executions, aim = (
        at_the_gate(outside, [[letter(number)] for number in range(times)]),
        Aim(rng, at_s=0.03),
    )
    with standing_runner(base_url=outside.llm.base_url):
        for execution in executions:
            people.at_once(
                decision(open_review(execution), reviewers[0]),
                after(aim.moment(), cancelling(execution)),
            )
            wait_until(partial(ended, execution), what="the end")
            execution.refresh_from_db()
            aim.correct(was_early=execution.status == "cancelled")

    ends = Counter(AgentExecution.objects.values_list("status", flat=True))
    sent = {letter["subject"] for letter in outside.letters()}
    assert_all_seen(ends, "cancelled", "completed")
    assert ends.total() == times
    assert len(sent) == len(outside.letters()) >= ends["completed"]
    assert len(sent) < times, "no cancel came before a start"
    outside.check_invariants()


def test_ten_cancels_at_once_are_one(
    outside: Witness, reviewers: list[User], people: Racers, effort: Effort
) -> None:
    """C1: one of ten ends what nobody drives; the others read that it has ended already."""
    rng, times = effort.rng("C1"), effort.times(short=20, long=1000)
    waiting = at_the_gate(outside, [[letter(number)] for number in range(times)])
    winners: Counter[int] = Counter()
    for number, execution in enumerate(waiting):
        if number % 2:  # half of them are pending with an approved call
            decision(open_review(execution), reviewers[0])()
        outcomes = people.race(execution.pk, *[cancelling(execution)] * CROWD, rng=rng)
        late = [one for one in outcomes if isinstance(one, AlreadyFinal)]
        assert len(late) == CROWD - 1
        assert {str(one) for one in late} == {"The execution is cancelled already."}
        winners[next(n for n, one in enumerate(outcomes) if one not in late)] += 1

    drive(outside)

    assert len(winners) > 1, f"the same one was first each time: {winners}"
    assert AgentAudit.objects.filter(event="cancelled").count() == times
    assert not outside.letters()
    outside.check_invariants()


def test_ten_cancels_of_a_driven_execution_are_one(
    outside: Witness, reviewers: list[User], people: Racers, effort: Effort
) -> None:
    """C1: ten people cancel at once, at any moment of a life from launch to completion."""
    rng, times = effort.rng("C1 driven"), effort.times(short=20, long=1000)
    outcomes, aim = Counter[str](), Aim(rng, at_s=0.03)
    with standing_runner(base_url=outside.llm.base_url):
        for _ in range(times):
            (execution,) = launched([[RULES]])
            asked = people.at_once(*[after(aim.moment(), cancelling(execution))] * CROWD)
            wait_until(partial(ended, execution), what="the end")
            execution.refresh_from_db()
            aim.correct(was_early=execution.status == "cancelled")
            outcomes[execution.status] += 1
            events = Counter(execution.audit.values_list("event", flat=True))
            assert events["cancel_requested"] <= 1
            assert events["cancelled"] + events["completed"] == 1
            assert all(isinstance(one, (AgentExecution, AlreadyFinal)) for one in asked)

    assert_all_seen(outcomes, "cancelled", "completed")
    assert outcomes.total() == times
    outside.check_invariants()


def test_a_cancel_during_an_llm_call_ends_it_at_once(
    outside: Witness, people: Racers, effort: Effort
) -> None:
    """C1: the request is cut off, ten cancels or one; nothing of its answer is kept."""
    times = effort.times(short=2, long=20)
    for _ in range(times):
        outside.llm.clear_faults()
        outside.llm.add_faults([{"fault": "delay", "delay_s": 60}])
        with standing_runner(base_url=outside.llm.base_url):
            (execution,) = launched([[letter(0)]])
            wait_until(lambda: outside.llm.fired() == [1], what="the LLM call under way")
            people.at_once(*[cancelling(execution)] * CROWD)
            wait_until(partial(ended, execution), within_s=5, what="the end")
        execution.refresh_from_db()
        assert (execution.status, execution.step_count) == ("cancelled", 0)
    assert not AgentToolCall.objects.exists()
    outside.check_invariants()


def test_a_cancel_during_an_effect_lets_it_finish_and_nothing_follow(
    outside: Witness, reviewers: list[User], people: Racers, effort: Effort
) -> None:
    """C1: of two approved letters the first is under way and is logged; the second never goes."""
    times = effort.times(short=2, long=20)
    for _ in range(times):
        before = len(outside.letters())
        (execution,) = at_the_gate(outside, [[letter(1), letter(2)]])
        for review in AgentReview.objects.open().filter(execution=execution):
            decision(review, reviewers[0])()
        outside.hold_mail.touch()
        try:
            with standing_runner(base_url=outside.llm.base_url):
                wait_until(lambda n=before: len(outside.letters()) > n, what="a letter")
                people.at_once(*[cancelling(execution)] * CROWD)
                outside.hold_mail.unlink()
                wait_until(partial(ended, execution), within_s=5, what="the end")
        finally:
            outside.hold_mail.unlink(missing_ok=True)
        execution.refresh_from_db()
        calls = execution.tool_calls.order_by("call_index").values_list("status", flat=True)
        assert (execution.status, list(calls)) == ("cancelled", ["succeeded", "cancelled"])
        assert len(outside.letters()) == before + 1
    outside.check_invariants()


@pytest.mark.parametrize("state", ["pending", "awaiting_review", "approved", "in_doubt"])
def test_a_second_cancel_changes_nothing(
    outside: Witness, reviewers: list[User], state: str
) -> None:
    """C1: whatever state it was in, the rows after the second cancel are those after the first."""
    execution = _brought_to(state, outside, reviewers)
    cancelling(execution)()
    first = _rows(execution)

    with pytest.raises(AlreadyFinal):
        cancelling(execution)()

    assert _rows(execution) == first
    drive(outside)
    assert _rows(execution) == first
    outside.check_invariants()


@pytest.mark.parametrize("end", ["completed", "failed", "cancelled"])
def test_what_has_ended_cannot_be_cancelled(outside: Witness, end: str) -> None:
    """C1, I7: final is final."""
    (execution,) = launched([[] if end == "failed" else [RULES]])
    if end == "cancelled":
        cancelling(execution)()
    drive(outside)
    before = _rows(execution)

    with pytest.raises(AlreadyFinal, match=f"is {end} already"):
        cancelling(execution)()

    assert _rows(execution) == before


def _brought_to(state: str, outside: Witness, reviewers: list[User]) -> AgentExecution:
    if state == "pending":
        return launched([[letter(1)]])[0]
    (execution,) = at_the_gate(outside, [[letter(1)]])
    if state != "awaiting_review":
        decision(open_review(execution), reviewers[0])()
    if state == "in_doubt":
        asyncio.run(_send_and_die(outside))
        drive(outside)
        assert AgentReview.objects.open().get(execution=execution).kind == "doubt"
    return execution


async def _send_and_die(outside: Witness) -> None:
    """Be a runner that sends the letter and is gone before it has written so."""
    async with in_pieces(llm_at(outside.llm.base_url)) as runner:
        (one,) = await runner.claim()
        sent = Held(runner, one, CallEnded)
        await sent.came()
        sent.driving.cancel()
        await runner.freeze()
        await runner.services.llm.close()


def _rows(execution: AgentExecution) -> list[Any]:
    tables = (AgentExecution.objects.filter(pk=execution.pk), execution.tool_calls.order_by("pk"))
    reviews = AgentReview.objects.filter(execution=execution).order_by("pk")
    return [list(rows.values()) for rows in (*tables, reviews)]

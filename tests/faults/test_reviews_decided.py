"""What was decided stays decided, and each decision is about the one call it names."""

from __future__ import annotations

from itertools import permutations, product

import pytest
from django.db.models.functions import Now

from agentops.accounts.models import User
from executions import operations
from executions.models import AgentExecution, AgentReview
from executions.operations import Refusal
from executions.operations.deciding import expire_overdue
from tests import factories
from tests.faults.racing import at_the_gate, decision, drive, open_review
from tests.faults.scenarios import letter
from tests.faults.witness import Witness
from tests.support.effort import Effort

PLACES = range(3)


def test_three_calls_are_decided_in_every_order_and_mix(
    outside: Witness, reviewers: list[User], effort: Effort
) -> None:
    """R12: each decision binds its own call; the execution resumes with the last one only."""
    words = ("approve", "reject", "expire") if effort.is_long else ("approve", "reject")
    cases = list(product(permutations(PLACES), product(words, repeat=3)))
    asked = [[letter(n, place) for place in PLACES] for n in range(len(cases))]
    expected = []
    for number, execution in enumerate(at_the_gate(outside, asked)):
        order, said = cases[number]
        for turn, place in enumerate(order):
            review = AgentReview.objects.open().get(execution=execution, call__call_index=place)
            say(said[place], review, reviewers[turn % 2])
            execution.refresh_from_db()
            is_last = turn == len(order) - 1
            assert execution.status == ("pending" if is_last else "awaiting_review"), (order, said)
            drive_early(outside, number, turn)
        expected += [f"Letter {number}.{p}" for p in PLACES if said[p] == "approve"]

    drive(outside)

    assert AgentExecution.objects.filter(status="completed").count() == len(cases)
    assert sorted(letter["subject"] for letter in outside.letters()) == sorted(expected)
    assert_each_answered(cases)
    outside.check_invariants()


def say(word: str, review: AgentReview, person: User) -> None:
    if word == "expire":
        factories.change(review, expires_at=Now())
        assert expire_overdue() == 1
    else:
        decision(review, person, approve=word == "approve")()


def drive_early(outside: Witness, number: int, turn: int) -> None:
    """Now and then let a runner look before all is decided: it must find nothing to do."""
    if number % 16 == 0 and turn < len(PLACES) - 1:
        drive(outside)


def assert_each_answered(cases: list[tuple[tuple[int, ...], tuple[str, ...]]]) -> None:
    ends = {"approve": "succeeded", "reject": "rejected", "expire": "expired"}
    rows = AgentExecution.objects.order_by("created_at")
    for execution, (_, said) in zip(rows, cases, strict=True):
        calls = execution.tool_calls.order_by("call_index").values_list("status", flat=True)
        assert list(calls) == [ends[word] for word in said]


@pytest.mark.parametrize("first", [True, False], ids=["approved first", "rejected first"])
def test_the_first_decision_is_final(outside: Witness, reviewers: list[User], first: bool) -> None:
    """R4: approve then reject, reject then approve: the second changes nothing."""
    rita, omar = reviewers
    (execution,) = at_the_gate(outside, [[letter(1)]])
    review = open_review(execution)
    decision(review, rita, approve=first)()

    for person in (omar, rita):
        with pytest.raises(Refusal, match=r"rita (approved|rejected) this at"):
            decision(review, person, approve=not first)()
    drive(outside)
    with pytest.raises(Refusal, match=r"rita (approved|rejected) this at"):
        decision(review, omar, approve=not first)()

    assert review.votes.count() == 1
    assert len(outside.letters()) == int(first)
    outside.check_invariants()


@pytest.mark.parametrize("end", ["cancelled", "expired", "completed", "executed"])
def test_an_approval_that_comes_after_the_end_is_refused(
    outside: Witness, reviewers: list[User], end: str
) -> None:
    """R3: after cancel, expiry, completion or the effect an approval is refused in words."""
    (execution,) = at_the_gate(outside, [[letter(1)]])
    review = open_review(execution)
    if end == "cancelled":
        operations.cancel(execution_id=execution.pk, person=factories.system())
    elif end == "executed":
        decision(review, reviewers[1])()
        drive(outside)
    else:
        say("expire", review, reviewers[1])
        if end == "completed":
            drive(outside)
    before = AgentExecution.objects.values().get(pk=execution.pk)
    sent = len(outside.letters())

    with pytest.raises(Refusal, match=r"omar approved this at|expired before|its execution ended"):
        decision(review, reviewers[0])()

    assert AgentExecution.objects.values().get(pk=execution.pk) == before
    drive(outside)
    assert len(outside.letters()) == sent == int(end == "executed")
    outside.check_invariants()


@pytest.mark.parametrize(("scope", "key"), [("agent", "rehearsed"), ("tool", "send_email")])
def test_an_approval_for_what_is_switched_off_starts_nothing(
    outside: Witness, reviewers: list[User], scope: str, key: str
) -> None:
    """R3: the approval is kept, its effect waits for the switch."""
    (execution,) = at_the_gate(outside, [[letter(1)]])
    operations.kill(scope=scope, key=key, person=factories.system(), reason="an incident")

    decision(open_review(execution), reviewers[0])()
    drive(outside)

    execution.refresh_from_db()
    assert (execution.status, outside.letters()) == ("pending", [])
    outside.check_invariants()

    operations.lift(scope=scope, key=key, person=factories.system())
    drive(outside)
    execution.refresh_from_db()
    assert (execution.status, len(outside.letters())) == ("completed", 1)
    outside.check_invariants()

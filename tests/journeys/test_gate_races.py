"""Reviewers deciding at the very moment the loop comes to its gate: never stuck, never lost."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator

import psycopg
import pytest

from agentops.accounts.models import User
from executions import operations
from executions.engine.connections import parameters
from executions.models import AgentExecution, AgentReview, AgentToolCall
from tests import rehearsal_server
from tests.journeys.conftest import launch, until
from tests.support.effort import Effort
from tests.support.racing import Racers, racers
from tests.support.rehearsed_agent import REHEARSED, calls, text
from tests.support.standing_runner import standing_runner
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow

SHORT, LONG = 60, 200  # repetitions
LETTER = {"subject": "About your record", "body": "We looked at it."}
READ = ("lookup_regulation", {"code": "AML-6"})


def letter(number: int) -> tuple[str, dict[str, object]]:
    return "send_email", {**LETTER, "subject": f"Letter {number}", "to": [CUSTOMER_MAIL]}


CUSTOMER_MAIL = "ana.duarte@marlowe-shipping.example"


def decide(review: AgentReview, person: User, *, approve: bool = False) -> None:
    operations.decide(
        review_id=review.pk,
        person=person,
        approve=approve,
        seen_digest=review.input_digest,
        reason="not now",
    )


def reviews_of(execution: AgentExecution, count: int) -> list[AgentReview]:
    def found() -> list[AgentReview]:
        open_ones = list(AgentReview.objects.open().filter(execution=execution))
        return open_ones if len(open_ones) == count else []

    return wait_until(found, what=f"{count} open reviews")


@pytest.fixture
def two() -> Iterator[Racers]:
    with racers(2) as ready:
        yield ready


@pytest.fixture
def standing(llm: rehearsal_server.RehearsalServer) -> Iterator[None]:
    with standing_runner(base_url=llm.base_url):
        yield


def test_a_decision_while_the_same_steps_read_is_still_running_is_never_lost(
    standing: None, two: Racers, reviewers: list[User], effort: Effort
) -> None:
    """The read holds the loop away from its gate; the decision comes before, during or after."""
    orders, times = Counter[str](), effort.times(short=SHORT, long=LONG)
    rng = random.Random(7)
    for number in range(times):
        script = [calls(READ, letter(number)), text()]
        with psycopg.connect(**parameters()) as blocker:
            blocker.execute("LOCK TABLE tools_regulation IN ACCESS EXCLUSIVE MODE")
            execution = launch(REHEARSED.name, rehearse=script)
            (review,) = reviews_of(execution, 1)
            read = AgentToolCall.objects.get(execution=execution, tool_name="lookup_regulation")
            assert read.status == "running"
            order = rng.choice(("decided before", "at once"))
            if order == "decided before":
                decide(review, reviewers[0])
                blocker.rollback()
            else:
                two.at_once(lambda r=review: decide(r, reviewers[0]), blocker.rollback)
        orders[order] += 1
        until(execution, "completed", within_s=10)
        assert execution.open_reviews == 0
    assert min(orders.values()) > times // 5, orders


def test_two_people_who_decide_the_last_two_calls_at_once_always_wake_it(
    standing: None, two: Racers, reviewers: list[User], effort: Effort
) -> None:
    last, times = Counter[str](), effort.times(short=SHORT, long=LONG)
    for number in range(times):
        script = [calls(letter(2 * number), letter(2 * number + 1)), text()]
        execution = launch(REHEARSED.name, rehearse=script)
        first, second = reviews_of(execution, 2)
        if number % 2:
            until(execution, "awaiting_review")
        two.at_once(
            lambda r=first: decide(r, reviewers[0]), lambda r=second: decide(r, reviewers[1])
        )
        until(execution, "completed", within_s=10)
        assert execution.open_reviews == 0
        votes = execution.reviews.order_by("-votes__created_at").values_list("pk", flat=True)
        last["first" if votes[0] == first.pk else "second"] += 1
    assert min(last["first"], last["second"]) > 0, f"no overlap was seen: {last}"

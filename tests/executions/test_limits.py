"""Limits hold through the real loop, at one below, at, and one above, and across a resume."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now

from agentops.accounts.models import User
from executions import operations
from executions.models import AgentExecution, AgentReview
from tests.rehearsal_server import RehearsalServer
from tests.support.rehearsed_agent import LETTER, READ, REHEARSED, calls, text
from tests.support.standing_runner import run_until_idle


def reads(count: int) -> list[dict[str, Any]]:
    """Return a script of `count` steps that read different things, and the answer."""
    script = [calls(("find_customers", {"query": f"customer {number}"})) for number in range(count)]
    return [*script, text()]


def run(llm: RehearsalServer, script: list[dict[str, Any]], **limits: Any) -> AgentExecution:
    execution = operations.launch(
        agent_type=REHEARSED.name,
        input_data={"rehearse": script},
        user=User.objects.get(username="system"),
        limits=limits,
    ).execution
    run_until_idle(base_url=llm.base_url)
    execution.refresh_from_db()
    return execution


@pytest.mark.parametrize(
    ("steps", "status", "stop_reason"),
    [(3, "failed", "MAX_STEPS_EXCEEDED"), (4, "completed", None), (5, "completed", None)],
)
def test_max_steps_at_one_below_at_and_one_above_what_is_needed(
    llm: RehearsalServer, steps: int, status: str, stop_reason: str | None
) -> None:
    """C3: exactly, one below and one above; never exceeded."""
    execution = run(llm, reads(3), max_steps=steps)

    assert (execution.status, execution.stop_reason) == (status, stop_reason)
    assert execution.step_count == min(steps, 4)
    assert execution.steps.count() == execution.step_count
    assert len(llm.log()) == execution.step_count


@pytest.mark.parametrize(("offset", "made"), [(-1, 1), (0, 1), (1, 2)])
def test_max_tokens_at_one_below_at_and_one_above_what_one_step_uses(
    llm: RehearsalServer, offset: int, made: int
) -> None:
    """C3: one token of room lets one more request go out, and never a third."""
    measured = run(llm, reads(2), max_tokens=9999)  # as many digits: the request counts too
    first = measured.steps.get(step_number=1).total_tokens

    execution = run(llm, reads(2), max_tokens=first + offset)

    assert (execution.stop_reason, execution.step_count) == ("MAX_TOKENS_EXCEEDED", made)
    assert execution.token_count == sum(execution.steps.values_list("total_tokens", flat=True))
    assert f"of {first + offset} tokens" in (execution.error or "")


def test_total_time_is_reached_by_slow_answers(llm: RehearsalServer) -> None:
    """C3: by at most one call's time-out."""
    llm.add_faults([{"fault": "delay", "delay_s": 0.3, "times": 99}])

    execution = run(llm, reads(5), total_timeout_ms=700)

    assert llm.fired()[0] >= 2
    assert (execution.status, execution.stop_reason) == ("failed", "TOTAL_TIMEOUT")
    assert execution.active_ms >= 700
    assert execution.active_ms <= 700 + 1500  # by at most one call's time-out, and some air


def test_total_time_leaves_out_a_week_of_waiting_for_a_reviewer(
    llm: RehearsalServer, reviewers: list[User]
) -> None:
    execution = run(llm, [calls(LETTER), text()], total_timeout_ms=20_000)
    before = execution.active_ms
    assert execution.status == "awaiting_review"
    a_week_passes(execution)

    approve(execution, reviewers[0])
    run_until_idle(base_url=llm.base_url)

    execution.refresh_from_db()
    assert execution.status == "completed", execution.error
    assert before < execution.active_ms < 20_000


def a_week_passes(execution: AgentExecution) -> None:
    """Move what the rows say about the past almost a week back; the review is still in time."""
    week = timedelta(days=6, hours=23)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE agent_executions DISABLE TRIGGER USER")  # pasts are frozen
        cursor.execute("ALTER TABLE agent_reviews DISABLE TRIGGER USER")
        _move_back(execution, week)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE agent_executions ENABLE TRIGGER USER")
        cursor.execute("ALTER TABLE agent_reviews ENABLE TRIGGER USER")


def _move_back(execution: AgentExecution, week: timedelta) -> None:
    AgentExecution.objects.filter(pk=execution.pk).update(created_at=F("created_at") - week)
    AgentReview.objects.filter(execution=execution).update(
        created_at=F("created_at") - week, expires_at=Now() + timedelta(hours=1)
    )


def approve(execution: AgentExecution, person: User) -> None:
    for review in AgentReview.objects.open().filter(execution=execution):
        operations.decide(
            review_id=review.pk, person=person, approve=True, seen_digest=review.input_digest
        )


def test_steps_and_tokens_survive_a_resume(llm: RehearsalServer, reviewers: list[User]) -> None:
    script = [calls(READ), calls(LETTER), *reads(5)]

    execution = run(llm, script, max_steps=3)
    assert (execution.status, execution.step_count) == ("awaiting_review", 2)
    tokens = execution.token_count
    approve(execution, reviewers[0])
    run_until_idle(base_url=llm.base_url)

    execution.refresh_from_db()
    assert execution.stop_reason == "MAX_STEPS_EXCEEDED"
    assert execution.step_count == 3
    assert execution.token_count > tokens


def test_an_llm_that_never_answers_in_time_ends_as_step_timeout(llm: RehearsalServer) -> None:
    """M3: three times in silence, then it ends."""
    llm.add_faults([{"fault": "timeout", "times": 99}])

    execution = run(llm, reads(1), step_timeout_ms=150, total_timeout_ms=60_000)

    assert llm.fired() == [3]
    assert (execution.status, execution.stop_reason) == ("failed", "STEP_TIMEOUT")
    assert execution.active_ms < 60_000


def test_the_same_call_again_and_again_is_warned_about_and_then_stopped(
    llm: RehearsalServer,
) -> None:
    """M18: the third time it is told, the fourth it ends."""
    execution = run(llm, [calls(READ)] * 6)

    assert execution.stop_reason == "LOOP_DETECTED"
    assert execution.step_count == 4
    assert execution.tool_calls.filter(status="succeeded").count() == 3
    assert "you have now made this same call 3 times" in str(llm.log()[3]["body"])


def test_more_calls_in_one_step_than_allowed_are_answered_not_run(llm: RehearsalServer) -> None:
    many = calls(*[("find_customers", {"query": f"q{number}"}) for number in range(10)])

    execution = run(llm, [many, text()])

    assert execution.status == "completed"
    assert execution.tool_calls.filter(status="succeeded").count() == 8
    assert execution.tool_calls.filter(status="failed", error__contains="at most 8").count() == 2


def test_a_cost_limit_stops_it(llm: RehearsalServer) -> None:
    execution = run(llm, reads(8), max_cost_usd="0.000200")

    assert execution.stop_reason == "MAX_COST_EXCEEDED"
    assert execution.cost_usd is not None
    assert execution.cost_usd >= Decimal("0.0002")

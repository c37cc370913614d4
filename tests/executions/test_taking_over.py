"""Executions found in hard states: each ends or goes on, and no doubt is swept away with it."""

from __future__ import annotations

import pytest
from django.db import connection

from agentops.accounts.models import User
from executions import faults, operations
from executions.models import AgentExecution, AgentToolCall
from tests import factories
from tests.executions.stories import broken
from tests.rehearsal_server import RehearsalServer
from tests.support.racing import is_locked
from tests.support.rehearsed_agent import LETTER, REHEARSED, text
from tests.support.standing_runner import run_until_idle

FILING = {
    "regulator_id": "REG-NFSA", "document_id": "DOC-0", "document_sha256": "0" * 64,
    "subject": "x",
}  # fmt: skip


def left_running(effect: str, tool: str, arguments: dict[str, object], **columns: int) -> tuple[
    AgentExecution, AgentToolCall
]:  # fmt: skip
    """An execution whose runner is gone, with one started call of this effect."""
    one = factories.running(agent_type=REHEARSED.name, input_data={"rehearse": [text()]}, **columns)
    votes = 2 if tool == "submit_to_regulator" else 1
    review = factories.gated(one, tool_name=tool, effect=effect, tool_input=arguments, votes=votes)
    people = [factories.reviewer(name) for name in ("ada", "bob")][:votes]
    return one, factories.start(factories.approve(review, *people))


def test_limits_that_plain_sql_got_wrong_end_that_execution_alone(llm: RehearsalServer) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO agent_executions (user_id, agent_type, input_data, limits)"
            " SELECT id, 'rehearsed', %s, %s FROM accounts_user WHERE username = 'system'",
            ['{"rehearse": [{"text": "x"}]}', '{"max_steps": "abc"}'],
        )
    wrong = AgentExecution.objects.get()
    right = factories.execution(input_data={"rehearse": [text()]})

    run_until_idle(base_url=llm.base_url)

    assert factories.fresh(right).status == "completed"
    assert factories.fresh(wrong).stop_reason == "UNREADABLE"
    assert "max_steps" in wrong.error


@pytest.mark.parametrize(
    ("effect", "tool", "arguments"),
    [("once", *LETTER), ("idempotent", "submit_to_regulator", FILING)],
)
def test_a_poisoned_execution_leaves_its_doubt_to_people(
    llm: RehearsalServer, effect: str, tool: str, arguments: dict[str, object]
) -> None:
    one, call = left_running(effect, tool, arguments)
    factories.change(one, attempts=5)

    run_until_idle(base_url=llm.base_url)

    assert factories.fresh(one).stop_reason == "POISONED"
    assert factories.fresh(call).status == "in_doubt"
    assert (one.open_reviews, one.reviews.get(status="open").kind) == (1, "doubt")


def test_one_that_unrelated_deaths_hit_in_the_crowd_in_a_group_and_twice_alone_goes_on(
    llm: RehearsalServer,
) -> None:
    """M1: only the third death alone is held against it."""
    one = factories.running(agent_type=REHEARSED.name, input_data={"rehearse": [text()]})
    factories.change(one, attempts=4)

    run_until_idle(base_url=llm.base_url)

    assert factories.fresh(one).status == "completed", one.error


def test_a_doubt_settled_as_run_is_asked_again_when_its_approver_lost_the_right(
    llm: RehearsalServer,
) -> None:
    one, call = left_running("once", *LETTER)
    run_until_idle(base_url=llm.base_url)
    assert factories.fresh(one).status == "awaiting_review"
    rita = factories.reviewer("rita")
    doubt = one.reviews.get(status="open")
    operations.settle(
        review_id=doubt.pk, person=rita, verdict="run", seen_digest=doubt.input_digest,
        reason="not in the log",
    )  # fmt: skip
    rita.user_permissions.clear()

    run_until_idle(base_url=llm.base_url)

    assert factories.fresh(one).status == "awaiting_review"
    assert factories.fresh(call).status == "in_doubt"
    again = one.reviews.get(status="open")
    assert (again.kind, again.version) == ("doubt", 3)
    assert "rita" in again.reason


def test_a_call_that_runs_again_after_a_doubt_keeps_its_key(llm: RehearsalServer) -> None:
    one, call = left_running("once", *LETTER)
    key = call.idempotency_key
    run_until_idle(base_url=llm.base_url)
    doubt = one.reviews.get(status="open")
    operations.settle(
        review_id=doubt.pk, person=factories.reviewer("rita"), verdict="run",
        seen_digest=doubt.input_digest, reason="not in the log",
    )  # fmt: skip

    run_until_idle(base_url=llm.base_url)

    assert factories.fresh(one).status == "completed", one.error
    assert (factories.fresh(call).status, call.idempotency_key) == ("succeeded", key)


def test_why_a_running_execution_was_cancelled_is_kept(llm: RehearsalServer) -> None:
    one = factories.running(agent_type=REHEARSED.name, input_data={"rehearse": [text()]})
    olga: User = factories.person("olga", may=["cancel_execution"])

    operations.cancel(execution_id=one.pk, person=olga, reason="wrong customer")
    run_until_idle(base_url=llm.base_url)

    assert factories.fresh(one).status == "cancelled"
    assert one.error == "CANCELLED: olga cancelled it: wrong customer"
    assert "I13" not in broken()


def test_nobody_takes_over_between_a_changes_fence_and_its_commit(llm: RehearsalServer) -> None:
    """A8: what the fence read must still be true when the work and its outcome commit."""
    change = {"customer_id": "C-1001", "changes": {"phone": "+31 20 555 0101"}, "reason": "M-2001"}
    one, call = left_running("transactional", "update_customer_record", change)
    kept_out = list[bool]()

    def rival(point: str, conn: object) -> None:
        if point == "update_customer_record.before":
            kept_out.append(is_locked(one.pk))

    faults.install(rival)
    try:
        run_until_idle(base_url=llm.base_url)
    finally:
        faults.install(None)

    assert factories.fresh(call).status == "succeeded"
    assert kept_out == [True]

"""What the faults at the review desk share: a letter before people, and time that moves on."""

from __future__ import annotations

from django.db import connection, transaction

from agentops.accounts.models import User
from executions import operations
from executions.invariants import verify
from executions.models import AgentExecution, AgentReview
from tests.journeys.conftest import launch
from tests.rehearsal_server import RehearsalServer
from tests.support.rehearsed_agent import LETTER, REHEARSED, calls, text
from tests.support.standing_runner import run_until_idle


def letter_before_people(llm: RehearsalServer) -> AgentReview:
    """Launch an agent that proposes a letter, and drive it up to its gate."""
    execution = launch(REHEARSED.name, rehearse=[calls(LETTER), text()])
    drive(llm, execution)
    return AgentReview.objects.open().get(execution=execution)


def drive(llm: RehearsalServer, execution: AgentExecution) -> AgentExecution:
    run_until_idle(base_url=llm.base_url)
    execution.refresh_from_db()
    return execution


def approve(review: AgentReview, person: User) -> AgentReview:
    operations.decide(
        review_id=review.pk, person=person, approve=True, seen_digest=review.input_digest
    )
    review.refresh_from_db()
    return review


def shift_window(review: AgentReview, *, to_s: float) -> None:
    """Let the undo window close in `to_s` seconds: time moves on, which no guard allows people."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE agent_reviews DISABLE TRIGGER guard")
        cursor.execute(
            "UPDATE agent_reviews SET effective_at = clock_timestamp() + make_interval(secs => %s)"
            " WHERE id = %s",
            [to_s, review.pk],
        )
        cursor.execute("ALTER TABLE agent_reviews ENABLE TRIGGER guard")
        cursor.execute(
            "UPDATE agent_executions SET wake_at = clock_timestamp() + make_interval(secs => %s)"
            " WHERE id = %s AND status = 'pending'",
            [to_s, review.execution_id],
        )


def assert_no_promise_is_broken() -> None:
    assert [one for one in verify() if one.violations] == []

"""What each kind of journal entry does to the rows."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

from django.db import connection
from pytest_django import Settings

from agentops.accounts.models import User
from executions import operations
from executions.engine import leases
from executions.engine.entries import (
    CallStarted,
    Committed,
    Ended,
    LetGo,
    StepMade,
    Yielded,
)
from executions.engine.journal import Journal
from executions.models import AgentExecution, AgentReview, AgentToolCall
from tests import factories
from tests.executions.journaling import (
    call_row,
    claimed,
    launched,
    review_row,
    step,
    with_journal,
)


def test_letting_go_needs_an_open_review(committed_db: None) -> None:
    ids = launched()

    async def work(journal: Journal, lease: leases.Lease) -> Committed:
        await claimed(lease, ids)
        return await journal.write(LetGo(execution_id=ids[0], token=1))

    answer = with_journal(work)

    assert not answer.applied
    assert AgentExecution.objects.get().status == "running"


def test_nothing_starts_after_a_cancel(committed_db: None) -> None:
    ids = launched()

    async def work(journal: Journal, lease: leases.Lease) -> Committed:
        await claimed(lease, ids)
        row = call_row(ids[0], effect="transactional", status="pending")
        await journal.write(
            StepMade(execution_id=ids[0], token=1, step=step(ids[0]).step, calls=[row])
        )
        await asyncio.to_thread(cancel, ids[0])
        return await journal.write(
            CallStarted(
                execution_id=ids[0], token=1, call_id=row["id"], tool_name="x", idempotency_key="k"
            )
        )

    answer = with_journal(work)

    assert not answer.applied
    assert answer.cancel_requested
    assert AgentToolCall.objects.get().started_at is None


def cancel(id: UUID) -> None:
    operations.cancel(execution_id=id, person=User.objects.get(username="system"))
    connection.close()


def test_nothing_starts_in_the_undo_window_and_nothing_breaks(
    committed_db: None, settings: Settings
) -> None:
    settings.AGENTOPS_UNDO_S = 30
    ids = launched()
    call = call_row(
        ids[0], tool_name="send_email", effect="once", status="awaiting_review", gated=True,
        review_id=uuid4(),
    )  # fmt: skip
    review = review_row(call)

    async def work(journal: Journal, lease: leases.Lease) -> Committed:
        await claimed(lease, ids)
        made = step(ids[0]).step
        await journal.write(
            StepMade(execution_id=ids[0], token=1, step=made, calls=[call], reviews=[review])
        )
        await asyncio.to_thread(approve, call["review_id"])
        return await journal.write(
            CallStarted(
                execution_id=ids[0], token=1, call_id=call["id"], tool_name="send_email",
                idempotency_key="k",
            )
        )  # fmt: skip

    answer = with_journal(work)

    assert (answer.applied, answer.refusal) == (False, None)
    held = AgentToolCall.objects.get()
    assert (held.status, held.started_at) == ("approved", None)


def approve(id: UUID) -> None:
    review = AgentReview.objects.get(pk=id)
    operations.decide(
        review_id=id, person=factories.reviewer("rita"), approve=True,
        seen_digest=review.input_digest,
    )  # fmt: skip
    connection.close()


def test_a_switch_that_is_off_refuses_the_start(committed_db: None) -> None:
    ids = launched()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO agent_controls (scope, key, state, reason)"
            " VALUES ('tool', 'find_customers', 'killed', 'the register is wrong')"
        )

    async def work(journal: Journal, lease: leases.Lease) -> Committed:
        await claimed(lease, ids)
        row = call_row(ids[0], effect="transactional", status="pending")
        await journal.write(
            StepMade(execution_id=ids[0], token=1, step=step(ids[0]).step, calls=[row])
        )
        return await journal.write(
            CallStarted(
                execution_id=ids[0], token=1, call_id=row["id"],
                tool_name="find_customers", idempotency_key="k",
            )
        )  # fmt: skip

    answer = with_journal(work)

    assert "the register is wrong" in (answer.refusal or "")
    assert AgentToolCall.objects.get().started_at is None


def test_the_end_cancels_what_waits_and_voids_its_reviews(committed_db: None) -> None:
    ids = launched()
    review_id = uuid4()

    async def work(journal: Journal, lease: leases.Lease) -> Committed:
        await claimed(lease, ids)
        row = call_row(
            ids[0], tool_name="send_email", effect="once", gated=True,
            status="awaiting_review", review_id=review_id,
        )  # fmt: skip
        review = review_row(row, risk="high")
        await journal.write(
            StepMade(
                execution_id=ids[0], token=1, step=step(ids[0]).step, calls=[row], reviews=[review]
            )
        )
        return await journal.write(
            Ended(
                execution_id=ids[0], token=1, status="failed", error="TEST: x", stop_reason="TEST"
            )
        )

    assert with_journal(work).applied

    execution = AgentExecution.objects.get()
    assert (execution.status, execution.open_reviews, execution.lease_owner) == ("failed", 0, None)
    assert execution.tool_calls.get().status == "cancelled"
    assert execution.reviews.get().status == "void"


def test_a_yield_rings_in_the_same_transaction(committed_db: None) -> None:
    ids = launched()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_q_ormq")

    async def work(journal: Journal, lease: leases.Lease) -> Committed:
        await claimed(lease, ids)
        return await journal.write(Yielded(execution_id=ids[0], token=1, state={"kept": 1}))

    with_journal(work)

    execution = AgentExecution.objects.get()
    assert (execution.status, execution.attempts, execution.state) == ("pending", 0, {"kept": 1})
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM django_q_ormq WHERE key = 'agents'")
        assert cursor.fetchone() == (1,)


def test_the_audit_trail_tells_the_whole_way(committed_db: None) -> None:
    ids = launched()

    async def work(journal: Journal, lease: leases.Lease) -> Committed:
        await claimed(lease, ids)
        await journal.write(step(ids[0]))
        return await journal.write(
            Ended(execution_id=ids[0], token=1, status="completed", result={"text": "x"})
        )

    with_journal(work)

    events = list(
        AgentExecution.objects.get().audit.order_by("seq").values_list("event", flat=True)
    )
    assert events == ["launched", "running", "completed"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM agentops_audit_broken()")
        assert cursor.fetchone() == (0,)

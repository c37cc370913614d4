"""The journal: group commit, fencing, bisection, an honest answer after a broken COMMIT."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from secrets import token_hex
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from executions import faults
from executions.engine import leases
from executions.engine.connections import Link, connect, parameters
from executions.engine.entries import (
    CallEnded,
    Committed,
    Entry,
    LeaseLost,
    StepMade,
)
from executions.engine.journal import Journal, JournalRefused
from executions.models import AgentExecution, AgentToolCall
from tests.executions.journaling import (
    call_row,
    claimed,
    launched,
    review_row,
    step,
    with_journal,
)
from tests.support.racing import is_locked


def test_what_waits_together_is_committed_together(committed_db: None) -> None:
    ids = launched(20)

    async def work(journal: Journal, lease: leases.Lease) -> tuple[int, list[Committed]]:
        await claimed(lease, ids)
        answers = await asyncio.gather(*(journal.write(step(id)) for id in ids))
        return journal.batches, answers

    batches, answers = with_journal(work)

    assert batches <= 2
    assert all(answer.applied for answer in answers)
    for execution in AgentExecution.objects.all():
        assert (execution.step_count, execution.token_count, execution.active_ms) == (1, 2, 5)
        assert str(execution.cost_usd) == "0.500000"


def test_one_guilty_entry_costs_the_others_nothing(committed_db: None) -> None:
    ids = launched(16)
    guilty = step(ids[7], response={"text": "NUL \x00 here", "calls": [], "reasoning": []})

    async def work(journal: Journal, lease: leases.Lease) -> list[Any]:
        await claimed(lease, ids)
        entries: list[Entry] = [step(id) for id in ids]
        entries[7] = guilty
        return await asyncio.gather(*map(journal.write, entries), return_exceptions=True)

    answers = with_journal(work)

    refused = [place for place, answer in enumerate(answers) if isinstance(answer, Exception)]
    assert refused == [7]
    assert isinstance(answers[7], JournalRefused)
    assert AgentExecution.objects.filter(step_count=1).count() == 15


def test_what_is_too_large_for_the_database_is_refused_and_not_tried_for_ever(
    committed_db: None,
) -> None:
    """PostgreSQL's limits come as errors that psycopg counts among those of a lost connection."""
    ids = launched(3)
    call = call_row(
        ids[1], tool_name="send_email", status="awaiting_review", effect="once", gated=True,
        review_id=uuid4(),
    )  # fmt: skip
    review = review_row(call, customer_id=token_hex(5000))  # more than an index takes

    async def work(journal: Journal, lease: leases.Lease) -> list[Any]:
        await claimed(lease, ids)
        entries = [step(id) for id in ids]
        entries[1] = replace(entries[1], calls=[call], reviews=[review])
        written = asyncio.gather(*map(journal.write, entries), return_exceptions=True)
        return await asyncio.wait_for(written, 10)

    answers = with_journal(work)

    assert isinstance(answers[1], JournalRefused)
    assert [answers[0].applied, answers[2].applied] == [True, True]
    assert AgentExecution.objects.filter(step_count=1).count() == 2


def test_a_server_that_only_reads_is_taken_for_one_that_went_away(committed_db: None) -> None:
    """A failover leaves connections to what is a copy by now; no entry is to blame for that."""
    ids = launched(2)

    async def work(journal: Journal, lease: leases.Lease) -> list[Committed]:
        await claimed(lease, ids)
        conn = await journal._connection()
        await conn.execute("SET default_transaction_read_only = on")
        return await asyncio.gather(*(journal.write(step(id)) for id in ids))

    assert all(answer.applied for answer in with_journal(work))
    assert AgentExecution.objects.filter(step_count=1).count() == 2


def test_a_statement_that_asks_too_much_of_the_database_is_not_tried_for_ever(
    committed_db: None,
) -> None:
    async def ask() -> None:
        link = Link(name="a test")
        try:
            await asyncio.wait_for(link.execute("SELECT array_fill(0, ARRAY[1000000000])"), 10)
        finally:
            await link.close()

    with pytest.raises(psycopg.errors.ProgramLimitExceeded):
        asyncio.run(ask())


def test_a_stale_token_changes_nothing_and_is_told(committed_db: None) -> None:
    ids = launched(2)

    async def work(journal: Journal, lease: leases.Lease) -> list[Any]:
        await claimed(lease, ids)
        await asyncio.to_thread(taken_by_another, ids[0])
        return await asyncio.gather(
            *(journal.write(step(id)) for id in ids), return_exceptions=True
        )

    answers = with_journal(work)

    assert isinstance(answers[0], LeaseLost)
    assert answers[1].applied
    assert AgentExecution.objects.get(pk=ids[0]).step_count == 0


def taken_by_another(id: UUID) -> None:
    with psycopg.connect(**parameters(), autocommit=True) as other:
        other.execute(
            "UPDATE agent_executions SET lease_token = lease_token + 1, lease_owner = %s"
            " WHERE id = %s",
            (uuid4(), id),
        )


def test_a_runner_taken_for_dead_can_write_nothing(committed_db: None) -> None:
    ids = launched()

    async def work(journal: Journal, lease: leases.Lease) -> Any:
        await claimed(lease, ids)
        await asyncio.to_thread(bury, lease.id)
        return await asyncio.gather(journal.write(step(ids[0])), return_exceptions=True)

    (answer,) = with_journal(work)

    assert isinstance(answer, LeaseLost)
    assert AgentExecution.objects.get().step_count == 0


def test_nobody_takes_over_between_the_look_and_the_commit(committed_db: None) -> None:
    """The outcome of a call changes no column of the execution: only the look's lock holds it."""
    (id,) = launched()
    call, kept_out = call_row(id), list[bool]()

    def rival(point: str, conn: Any) -> None:
        if point == "CallEnded.before":
            kept_out.append(is_locked(id))

    async def work(journal: Journal, lease: leases.Lease) -> Any:
        await claimed(lease, [id])
        await journal.write(replace(step(id), calls=[call]))
        faults.install(rival)
        return await journal.write(
            CallEnded(execution_id=id, token=1, call_id=call["id"], status="succeeded", output={})
        )

    try:
        answer = with_journal(work)
    finally:
        faults.install(None)

    assert answer.applied
    assert kept_out == [True]


def bury(runner_id: UUID) -> None:
    with psycopg.connect(**parameters(), autocommit=True) as other:
        other.execute("UPDATE agent_runners SET dead_at = now() WHERE id = %s", (runner_id,))


@pytest.mark.parametrize("moment", ["before the commit", "after the commit"])
def test_after_a_connection_lost_at_commit_it_looks_before_it_repeats(
    committed_db: None, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """Whether the COMMIT had landed or not, the step is there exactly once."""
    ids = launched()
    fired: list[str] = []

    async def work(journal: Journal, lease: leases.Lease) -> Committed:
        await claimed(lease, ids)
        conn = await journal._connection()
        execute = conn.execute

        async def breaking(query: Any, *rest: Any, **more: Any) -> Any:
            if query == "COMMIT" and not fired:
                fired.append(moment)
                if moment == "after the commit":
                    await execute(query)
                await conn.close()
                raise psycopg.OperationalError("the connection broke")
            return await execute(query, *rest, **more)

        monkeypatch.setattr(conn, "execute", breaking)
        return await journal.write(step(ids[0]))

    answer = with_journal(work)

    assert fired == [moment]
    assert answer.applied
    execution = AgentExecution.objects.get()
    assert (execution.step_count, execution.steps.count(), execution.token_count) == (1, 1, 2)


def test_a_backend_killed_between_batches_is_replaced(committed_db: None) -> None:
    ids = launched(2)

    async def work(journal: Journal, lease: leases.Lease) -> list[Committed]:
        await claimed(lease, ids)
        first = await journal.write(step(ids[0]))
        await asyncio.to_thread(terminate, f"agentops journal {lease.id}")
        return [first, await journal.write(step(ids[1]))]

    answers = with_journal(work)

    assert all(answer.applied for answer in answers)
    assert AgentExecution.objects.filter(step_count=1).count() == 2


def terminate(application: str) -> None:
    with psycopg.connect(**parameters(), autocommit=True) as other:
        rows = other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = %s AND datname = current_database()",
            (application,),
        ).fetchall()
        assert rows


def test_a_deadlock_is_tried_again(committed_db: None) -> None:
    """The rival locks the call first and the execution second, the order the house forbids."""
    ids = launched()

    async def work(journal: Journal, lease: leases.Lease) -> Committed:
        await claimed(lease, ids)
        row = call_row(ids[0])
        await journal.write(step(ids[0]))
        await journal.write(
            StepMade(execution_id=ids[0], token=1, step=step(ids[0], 2).step, calls=[row])
        )
        rival = await connect(name="test rival")
        async with rival:
            await rival.execute("BEGIN")
            await rival.execute("SELECT 1 FROM agent_tool_calls FOR UPDATE")
            writing = asyncio.create_task(
                journal.write(
                    CallEnded(execution_id=ids[0], token=1, call_id=row["id"], status="succeeded")
                )
            )
            with contextlib.suppress(psycopg.errors.DeadlockDetected):
                await rival.execute("SELECT 1 FROM agent_executions FOR UPDATE")
            await rival.execute("ROLLBACK")
            return await writing

    answer = with_journal(work)

    assert answer.applied
    assert AgentToolCall.objects.get().status == "succeeded"

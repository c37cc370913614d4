"""A process that stands still in the middle of a transaction holds nobody else up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from threading import Event
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from django.db import OperationalError, connection

from agentops.accounts.models import User
from executions import commits, faults, operations
from executions.engine import leases
from executions.engine.connections import Link, connect, parameters
from executions.engine.effects import FenceLost, _in_one_transaction
from executions.engine.entries import LeaseLost
from executions.engine.journal import Journal
from executions.engine.leases import Lease, Undertaker
from executions.engine.recovery import recover
from executions.models import AgentExecution, AgentRunner
from tests.executions.journaling import claimed, launched, step, with_journal
from tests.faults.checking import nothing_is_violated
from tests.journeys.conftest import launch, until
from tests.rehearsal_server import RehearsalServer
from tests.support.pieces import FREEZE
from tests.support.racing import is_locked
from tests.support.rehearsed_agent import READ, REHEARSED, calls, text
from tests.support.standing_runner import standing_runner
from tests.support.waiting import wait_until
from tools.base import Effect, ToolContext, tool

DEAD = """
INSERT INTO agent_runners (host, pid, capacity, lease_until)
VALUES ('elsewhere', 1, 1, clock_timestamp() - interval '1 minute') RETURNING id
"""
MARK = "UPDATE agent_runners SET last_batch = last_batch + 1 WHERE id = %s"


@contextmanager
def frozen_in_its_journal() -> Iterator[tuple[UUID, Callable[[], None]]]:
    """A runner that stands still between two statements of a commit, in a session that nobody
    knows as its own; and what wakes it."""
    with psycopg.connect(**parameters()) as other:
        row = other.execute(DEAD).fetchone()
        assert row is not None
        other.commit()
        other.execute(MARK, row)
        yield row[0], other.rollback


def test_a_locked_row_of_a_dead_runner_holds_no_other_up(llm: RehearsalServer) -> None:
    """A8: who looks for the dead does not wait for a row, and buries it once it is free."""
    with frozen_in_its_journal() as (frozen, wake), standing_runner(base_url=llm.base_url):
        until(launch(REHEARSED.name, rehearse=[calls(READ), text()]), "completed", within_s=10)
        assert recover()["buried"] == 0
        wake()
        wait_until(lambda: AgentRunner.objects.get(pk=frozen).dead_at, what="its burial")
    nothing_is_violated()


def look_for_the_dead() -> int:
    """Look twice, as runners do each second; return how many were found to be dead at first."""

    async def look() -> int:
        conn = Link(name="a test")
        undertaker = Undertaker(Lease(uuid4(), 0, 15))
        found = await undertaker.bury(conn)
        await undertaker.bury(conn)
        await conn.close()
        return found

    return asyncio.run(look())


def test_what_a_runner_frozen_in_its_commit_holds_is_free_once_its_lease_ran_out(
    committed_db: None,
) -> None:
    """A8: its session is ended with what it had not committed; awake, it can write nothing."""
    (id,) = launched()
    seen: list[Any] = []

    def stand_still(point: str, _: Any) -> None:
        if point == "StepMade.before" and not seen:
            with ThreadPoolExecutor(1) as pool:
                seen.extend((is_locked(id), pool.submit(look_for_the_dead).result(20)))
            wait_until(lambda: not is_locked(id), within_s=5, what="its row to be let go")

    async def work(journal: Journal, lease: leases.Lease) -> Any:
        await claimed(lease, [id])
        link = Link(name="a test")
        await link.execute(FREEZE, (lease.id,))
        await link.close()
        return await asyncio.gather(journal.write(step(id)), return_exceptions=True)

    faults.install(stand_still)
    try:
        (answer,) = with_journal(work)
    finally:
        faults.install(None)
    assert seen == [True, 1]
    assert isinstance(answer, LeaseLost)
    assert AgentExecution.objects.get().step_count == 0


def test_a_runner_that_was_cut_off_does_not_wait_for_its_own_former_session(
    committed_db: None,
) -> None:
    """D3: PostgreSQL may take that for alive for hours, and meanwhile no cancel would be heard."""

    async def lose_and_hold_anew() -> tuple[bool, bool]:
        former = await connect(name="agentops lease")
        lease = await leases.register(former, capacity=1, version="test", lease_s=15)
        anew = await asyncio.wait_for(leases.hold_anew(lease), 10)
        cursor = await anew.execute(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted"
            " AND classid = %s AND pid = pg_backend_pid())",
            [leases.LOCK_CLASS],
        )
        row = await cursor.fetchone()
        assert row is not None
        await anew.close()
        with suppress(psycopg.Error):
            await former.execute("SELECT 1")
        return row[0], former.closed

    assert asyncio.run(lose_and_hold_anew()) == (True, True)


def test_a_tools_transaction_is_ended_when_it_stands_still_for_longer_than_its_time(
    committed_db: None,
) -> None:
    """A8: it would keep the record it changes from everybody else."""
    shown: list[str] = []

    @tool(effect=Effect.TRANSACTIONAL)
    def stand_still() -> None:
        """Tell how long it may."""
        with connection.cursor() as cursor:
            cursor.execute("SHOW idle_in_transaction_session_timeout")
            shown.extend(cursor.fetchone())

    context = ToolContext(
        execution_id=uuid4(), call_id=uuid4(), idempotency_key="x", agent_type="x",
        user_id=uuid4(), deadline_s=7,
    )  # fmt: skip
    with pytest.raises(FenceLost):
        _in_one_transaction(stand_still, stand_still.parse({}), context, uuid4(), 1)
    assert shown == ["7001ms"]


def test_a_persons_commit_that_stands_still_holds_no_journal_up(
    committed_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A8: a frozen page or command is ended with what it had not committed, and the runner whose
    execution it held goes on with all of its own."""
    monkeypatch.setattr(commits, "STILL_S", 0.2)
    ids, system = launched(2), User.objects.get(username="system")
    stands, awake = Event(), Event()

    def stand_still(point: str, _: Any) -> None:
        if point == "cancel.before":
            stands.set()
            assert awake.wait(20)

    def cancel() -> None:
        try:
            operations.cancel(execution_id=ids[0], person=system)
        finally:
            connection.close()

    async def work(journal: Journal, lease: leases.Lease) -> list[Any]:
        await claimed(lease, ids)
        frozen = asyncio.create_task(asyncio.to_thread(cancel))
        assert await asyncio.to_thread(stands.wait, 10)
        try:
            written = asyncio.gather(*(journal.write(step(id)) for id in ids))
            answers = await asyncio.wait_for(written, 10)
        finally:
            awake.set()
            (ended,) = await asyncio.gather(frozen, return_exceptions=True)
        return [ended, *answers]

    faults.install(stand_still)
    try:
        ended, *answers = with_journal(work)
    finally:
        faults.install(None)
    assert isinstance(ended, OperationalError), ended
    assert all(answer.applied and not answer.cancel_requested for answer in answers)
    assert set(AgentExecution.objects.values_list("step_count", flat=True)) == {1}

"""People meet a busy database: they are answered in seconds, wholly or not at all."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test import Client
from django.urls import reverse

from agentops.accounts.models import User
from executions.engine import leases
from executions.engine.connections import connect, parameters
from executions.engine.journal import Journal
from executions.models import AgentExecution, AgentReview
from executions.operations import patience, rows
from executions.operations.deciding import expire_overdue
from tests import factories
from tests.executions import desk, stories
from tests.executions.journaling import claimed, launched, step, with_journal
from tests.faults.checking import nothing_is_violated
from tests.faults.planting import planted
from tests.support.waiting import wait_until

pytestmark = pytest.mark.usefixtures("committed_db")

ANSWER_S = 5.0
LOCK_EXECUTION = "SELECT 1 FROM agent_executions WHERE id = %s FOR UPDATE"
LOCK_REVIEW = "SELECT 1 FROM agent_reviews WHERE id = %s FOR UPDATE"


@contextmanager
def rival(statement: str, *values: Any) -> Iterator[psycopg.Connection]:
    """Another session, in the middle of a transaction that holds what `statement` locks."""
    with psycopg.connect(**parameters()) as other:
        other.execute(statement, values)
        yield other
        other.rollback()


@pytest.fixture
def rita(client: Client) -> User:
    person = factories.reviewer("rita")
    client.force_login(person)
    return person


def proposed() -> AgentReview:
    """A letter that waits for people, with everything around it; returns its review."""
    olga = User.objects.filter(username="olga").first()
    olga = olga or factories.person("olga", may=["launch_execution"])
    return stories.awaiting(stories.standing_runner(), olga).reviews.get()


def send(client: Client, review: AgentReview, **changes: str) -> Any:
    data = {"decision": "approve", "seen_digest": review.input_digest, "reason": "", **changes}
    return client.post(desk.url(review, "decide"), data)


def untouched(review: AgentReview) -> bool:
    found = factories.fresh(review)
    return (found.status, found.execution.status, found.votes.count()) == (
        *("open", "awaiting_review"),
        0,
    )


def test_a_decision_that_meets_a_held_lock_is_answered_with_busy_in_time(
    client: Client, rita: User
) -> None:
    """D7: the page says so within five seconds, keeps what was typed, and nothing is half done."""
    review = proposed()
    with rival(LOCK_EXECUTION, review.execution_id):
        began = time.monotonic()
        response = send(client, review, decision="reject", reason="Wrong customer, see M-2001")
        took = time.monotonic() - began

    assert (response.status_code, took < ANSWER_S) == (503, True), took
    page = response.content.decode()
    assert "The database is busy, so nothing was changed." in page
    assert "Wrong customer, see M-2001" in page
    assert untouched(review)
    assert send(client, review).status_code == 302
    assert factories.fresh(review).status == "approved"
    nothing_is_violated(grace_s=60)


def test_a_lock_that_no_page_expects_is_answered_with_busy_too(client: Client, rita: User) -> None:
    """D7: a statement that runs out of time anywhere is a page with status 503."""
    review = proposed()
    client.raise_request_exception = False
    with rival("LOCK TABLE agent_reviews IN ACCESS EXCLUSIVE MODE"):
        began = time.monotonic()
        response = client.get(reverse("review", args=[review.pk]))
    assert response.status_code == 503
    assert time.monotonic() - began < ANSWER_S
    assert "Try again" in response.content.decode()


def test_the_engines_connections_wait_as_long_as_it_takes(client: Client, rita: User) -> None:
    """D7: only pages have limits; a runner that gave up would have to begin anew."""
    client.get(reverse("reviews"))
    with psycopg.connect(**parameters()) as other:
        limits = [
            other.execute(f"SHOW {name}").fetchone()
            for name in ("lock_timeout", "statement_timeout")
        ]
    assert limits == [("0",), ("0",)]


@dataclass
class Knot:
    """A real deadlock: the rival holds the review and wants the execution, a decision the opposite.

    Whoever waits first is the one that PostgreSQL ends, after its second of patience.
    """

    review: AgentReview
    rival_waits_first: bool
    rival_was_ended: bool = False
    _holds: Event = field(default_factory=Event)
    _is_wanted: Event = field(default_factory=Event)

    def tie(self) -> None:
        """Be the rival, in a thread."""
        with psycopg.connect(**parameters(), application_name="rival") as other:
            other.execute(LOCK_REVIEW, (self.review.pk,))
            self._holds.set()
            if self.rival_waits_first:
                assert self._is_wanted.wait(10)
            else:
                wait_until(lambda: waiting("agent_reviews"), what="the decision at the review")
            try:
                other.execute(LOCK_EXECUTION, (self.review.execution_id,))
            except psycopg.errors.DeadlockDetected:
                self.rival_was_ended = True
            other.rollback()

    def meet(self) -> None:
        """Be where the decision has locked the execution and goes on to the review."""
        if self.rival_waits_first and not self._is_wanted.is_set():
            self._is_wanted.set()
            wait_until(lambda: waiting("agent_executions"), what="the rival at the execution")

    def held(self) -> bool:
        return self._holds.wait(10)


def waiting(table: str) -> bool:
    """Test if a session waits for a lock in a statement on this table."""
    with psycopg.connect(**parameters(), autocommit=True) as look:
        found = look.execute(
            "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
            " AND wait_event_type = 'Lock' AND query LIKE %s",
            [f"%{table}%"],
        )
        return found.fetchone() is not None


@pytest.mark.parametrize("rival_waits_first", [False, True])
def test_a_decision_in_a_deadlock_is_made_once_whoever_is_ended(
    client: Client, rita: User, monkeypatch: pytest.MonkeyPatch, rival_waits_first: bool
) -> None:
    """D5: the decision is ended and made again, or the rival is ended; the page never fails."""
    knot = Knot(proposed(), rival_waits_first)
    locked, votes = rows.locked_execution, 0

    def locked_and_met(execution_id: UUID) -> AgentExecution:
        found = locked(execution_id)
        nonlocal votes
        votes += 1
        knot.meet()
        return found

    monkeypatch.setattr(rows, "locked_execution", locked_and_met)
    with ThreadPoolExecutor(1) as pool:
        tied = pool.submit(knot.tie)
        assert knot.held()
        response = send(client, knot.review)
        tied.result(20)

    assert response.status_code == 302
    assert (votes, knot.rival_was_ended) == ((1, True) if rival_waits_first else (2, False))
    found = factories.fresh(knot.review)
    assert (found.status, found.execution.status, found.votes.count()) == ("approved", "pending", 1)
    nothing_is_violated(grace_s=60)


def test_people_who_lose_too_often_are_told_to_try_again(client: Client, rita: User) -> None:
    """D5: retries are bounded; then the page says busy, and nothing is half done."""
    review = proposed()
    with planted("serialization_failure", on="agent_review_votes", times=patience.TRIES) as fired:
        assert send(client, review).status_code == 503
        assert fired() == patience.TRIES
        assert untouched(review)
        assert send(client, review).status_code == 302
    assert factories.fresh(review).votes.count() == 1
    nothing_is_violated(grace_s=60)


def test_one_review_that_cannot_expire_now_holds_up_no_other(rita: User) -> None:
    """D7: the sweep goes on, and comes by again."""
    held, free = proposed(), proposed()
    for review in (held, free):
        factories.change(review, expires_at=Now())
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '50ms'")
    with rival(LOCK_EXECUTION, held.execution_id):
        assert expire_overdue() == 1
    with connection.cursor() as cursor:
        cursor.execute("RESET lock_timeout")
    assert (factories.fresh(held).status, factories.fresh(free).status) == ("open", "expired")
    assert expire_overdue() == 1
    nothing_is_violated(grace_s=60)


def test_the_journal_in_a_deadlock_commits_its_batch_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """D5: it locks executions in order of id, so somebody else held them the wrong way round."""
    ids = sorted(launched(2))
    first, second = ids
    ended = 0

    async def work(journal: Journal, lease: leases.Lease) -> Any:
        await claimed(lease, ids)
        roll_back = journal._rollback

        async def count_and_roll_back() -> None:
            nonlocal ended
            ended += 1
            await roll_back()

        monkeypatch.setattr(journal, "_rollback", count_and_roll_back)
        other = await connect(name="rival")
        async with other:
            await other.execute("BEGIN")
            await other.execute(LOCK_EXECUTION, (second,))
            written = asyncio.gather(*(journal.write(step(id)) for id in ids))
            while not await asyncio.to_thread(waiting, "agent_executions"):
                await asyncio.sleep(0)
            await other.execute(LOCK_EXECUTION, (first,))  # the journal waits longer: it is ended
            await other.execute("COMMIT")
            return await written

    answers = with_journal(work)
    assert ended == 1
    assert all(answer.applied for answer in answers)
    assert set(AgentExecution.objects.values_list("step_count", flat=True)) == {1}

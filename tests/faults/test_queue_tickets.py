"""A ticket says "look", and nothing more: lost, doubled, late or of nobody, it changes nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django_q.models import OrmQ

from agentops.accounts.models import User
from executions import operations
from executions.engine import tickets
from executions.engine.broker import PostgresBroker
from executions.engine.recovery import recover
from executions.models import AgentExecution
from tests.faults.checking import nothing_is_violated
from tests.faults.deploying import drive, launch
from tests.faults.queueing import package, put, signed, unheard, waiting_tickets
from tests.rehearsal_server import RehearsalServer
from tests.support.noting import form, note
from tests.support.rehearsed_agent import calls, text
from tests.support.releases import Release
from tests.support.standing_runner import run_until_idle, standing_runner
from tests.support.waiting import wait_until

LOOK_S = 1.0
SLOW_MACHINE_S = 4.0


@pytest.fixture
def standing(release: Release, rehearsal: RehearsalServer) -> Iterator[None]:
    with standing_runner(base_url=rehearsal.base_url):
        yield


def seconds_until_completed(execution: AgentExecution) -> float:
    began = time.monotonic()

    def done() -> bool:
        execution.refresh_from_db()
        return execution.is_final

    wait_until(done, within_s=30, what=f"the end; it is {execution.status}")
    assert execution.status == "completed", execution.error
    return time.monotonic() - began


def rows(*executions: AgentExecution) -> list[object]:
    found = AgentExecution.objects.filter(pk__in=[one.pk for one in executions]).order_by("pk")
    return list(found.values())


def test_what_nobody_rang_for_is_found_by_the_runners_own_look(standing: None) -> None:
    """Q1: the ticket is lost and its NOTIFY with it."""
    with transaction.atomic(), unheard():
        execution = launch(text())
    assert waiting_tickets() == 0

    assert seconds_until_completed(execution) < LOOK_S + SLOW_MACHINE_S
    nothing_is_violated()


def test_a_rotated_key_loses_no_work(release: Release, rehearsal: RehearsalServer) -> None:
    """Q1: the messages cannot be read any more; the pusher deletes them, housekeeping rings."""
    with transaction.atomic(), unheard():
        execution = launch(text())
    put(signed(package(str(execution.pk)), key="the old key"))
    OrmQ.objects.all().delete()  # what the pusher does with it, see test_queue_forged
    assert execution.status == "pending"

    assert recover()["rang"] == 1
    assert waiting_tickets() == 1
    drive(rehearsal, execution)

    assert execution.status == "completed"


@pytest.mark.parametrize("times", [2, 10])
def test_a_doubled_ticket_finds_one_driver(
    release: Release, rehearsal: RehearsalServer, times: int
) -> None:
    """Q2: delivered so many times at once; one drives, the others find nothing."""
    execution = launch(calls(("find_customers", {"name": "Ana"})), text())
    drivers, barrier = [0] * times, threading.Barrier(times)

    def deliver(place: int) -> None:
        barrier.wait(10)
        drivers[place] = run_until_idle(base_url=rehearsal.base_url)["driven"]
        connection.close()

    threads = [threading.Thread(target=deliver, args=(n,)) for n in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    execution.refresh_from_db()
    assert execution.status == "completed", execution.error
    assert sorted(drivers) == [0] * (times - 1) + [1]
    assert execution.lease_token == 1
    assert execution.steps.count() == execution.step_count == 2
    nothing_is_violated()


def test_tickets_of_the_finished_the_cancelled_and_nobody_are_swept_away(
    standing: None, rehearsal: RehearsalServer
) -> None:
    """Q3: what they name is finished, cancelled, deleted, unknown, or no id at all."""
    finished = launch(text())
    seconds_until_completed(finished)
    with transaction.atomic(), unheard():
        cancelled = launch(text())
        operations.cancel(execution_id=cancelled.pk, person=_canceller(), reason="no")
    before, asked = rows(finished, cancelled), len(rehearsal.log())

    ids = [str(finished.pk), str(cancelled.pk), str(uuid4()), "no id", 7, None]
    put(*(signed(package(one)) for one in ids))

    wait_until(lambda: waiting_tickets() == 0, what="the runner to sweep them away")
    assert rows(finished, cancelled) == before
    assert len(rehearsal.log()) == asked
    seconds_until_completed(launch(text()))
    nothing_is_violated()


def _canceller() -> User:
    return User.objects.get(username="system")


def test_a_ticket_of_three_days_ago_repeats_no_step(
    release: Release, rehearsal: RehearsalServer
) -> None:
    """Q4: it names an execution that waits for people by now."""
    release.has_tool(form("gated"))
    execution = drive(rehearsal, launch(calls(note("first")), text()))
    assert execution.status == "awaiting_review"
    before, asked = rows(execution), len(rehearsal.log())

    put(signed(package(str(execution.pk), age=timedelta(days=3))))
    drive(rehearsal, execution)

    assert waiting_tickets() == 0
    assert rows(execution) == before
    assert len(rehearsal.log()) == asked
    nothing_is_violated()


def test_a_prefetched_ticket_that_outlives_its_lock_is_delivered_again_and_changes_nothing(
    release: Release, rehearsal: RehearsalServer
) -> None:
    """Q6: it waited behind a busy worker for longer than `retry`."""
    execution = launch(text())
    broker = PostgresBroker(list_key=tickets.CLUSTER)
    (first,) = broker.dequeue() or []
    assert OrmQ.objects.get().lock is not None
    drive(rehearsal, execution)
    assert execution.status == "completed"
    with connection.cursor() as cursor:  # `retry` seconds pass
        cursor.execute("UPDATE django_q_ormq SET lock = now() - interval '1 s'")

    (again,) = broker.dequeue() or []

    assert again == first
    before, asked = rows(execution), len(rehearsal.log())
    assert run_until_idle(base_url=rehearsal.base_url)["driven"] == 0
    broker.acknowledge(first[0])
    broker.acknowledge(again[0])
    assert (rows(execution), len(rehearsal.log())) == (before, asked)
    assert OrmQ.objects.count() == 0
